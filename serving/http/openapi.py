"""The OpenAPI description of the service, as its clients may rely on it and generators can read it."""

from collections.abc import Mapping

from serving.http.schemas import (
    ANSWER,
    CLUSTER,
    ERROR,
    MODEL,
    NAMED_IMAGE,
    PIXEL,
    PREDICTIONS,
    REFUSAL,
    Json,
)
from serving.settings import Settings

# Per image or for the whole request: the document has the answers, if only to say what was wrong with each.
_UNREADABLE = {
    "400": "No image in the request, or images that are wrong in different ways",
    "413": "Too many bytes, images or pixels",
    "415": "No image of a known kind, or a body with a Content-Encoding",
    "422": "A damaged image",
    "500": "The model failed on the image, a fault of the service",
}
_TOO_SLOW = {"408": "The body came too slowly", "504": "No answer in time"}
_KEPT_OUT = {
    "401": "No valid API key, where keys are set",
    "403": "Another machine asks, and no keys are set",
}
_PLAIN: Json = {"text/plain": {"schema": {"type": "string"}}}
_BUSY = "Too busy, with Retry-After in seconds; or the keys cannot be read, without it"


def describe(settings: Settings) -> Json:
    """The OpenAPI 3.1 document of the service with these settings."""
    schemas = {
        "Answer": ANSWER,
        "Cluster": CLUSTER,
        "Error": ERROR,
        "Images": _images(settings.max_images),
        "Model": MODEL,
        "NamedImage": NAMED_IMAGE,
        "Predictions": PREDICTIONS,
        "Refusal": REFUSAL,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DC3",
            "version": "1",
            "description": "Class or cluster, and how ambiguous, for each image.",
        },
        "paths": {
            "/predict": {"post": _predict(settings.max_images)},
            "/model": {"get": _get("get_model", "What the model is", _json("Model"))},
            "/model/clusters/{cluster}/{name}": {"get": _typical_image()},
            "/metrics": {"get": _get("get_metrics", "Counters for Prometheus", _PLAIN)},
            "/livez": {"get": _probe("is_alive", "Whether the process answers")},
            "/readyz": {"get": _probe("is_ready", "Whether the model is loaded")},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        # The last entry: on the machine itself no key is needed unless keys are set.
        "security": [{"bearer": []}, {"header": []}, {}],
    }


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _refusals(statuses: dict[str, str], schema: str = "Refusal") -> Json:
    return {status: {"description": text, "content": _json(schema)} for status, text in statuses.items()}


def _guarded() -> Json:
    """What any path but the probes may answer instead."""
    seconds = {"description": "seconds to wait", "schema": {"type": "integer"}}
    busy = {"description": _BUSY, "content": _json("Refusal"), "headers": {"Retry-After": seconds}}
    return {**_refusals(_KEPT_OUT), "503": busy}


def _predict(max_images: int) -> Json:
    return {
        "operationId": "predict",
        "summary": "Predict one or many images",
        "description": "An image's type is read from its bytes, whatever is declared; a raw body may have any type. "
        "200 as soon as one image was read; the others have their error in their place. With none read, the status "
        "of the errors.",
        "requestBody": {"required": True, "content": _bodies(max_images)},
        "responses": {
            "200": {"description": "One answer for each image, in order", "content": _json("Predictions")},
            **_refusals(_UNREADABLE, "Predictions"),
            **_refusals(_TOO_SLOW),
            **_guarded(),
        },
    }


def _bodies(max_images: int) -> Json:
    binary = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": binary, "minItems": 1, "maxItems": max_images}
    form = {"type": "object", "required": ["images"], "properties": {"images": files}}
    return {
        "multipart/form-data": {"schema": form},
        "application/octet-stream": {"schema": binary},
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Images"},
            "example": {"images": [{"name": "pixel.png", "data": PIXEL}]},
        },
    }


def _images(max_images: int) -> Json:
    items = {"$ref": "#/components/schemas/NamedImage"}
    images = {"type": "array", "minItems": 1, "maxItems": max_images, "items": items}
    return {"type": "object", "required": ["images"], "properties": {"images": images}}


def _typical_image() -> Json:
    place = {"type": "string", "description": "PLACE.jpg, 0.jpg the most typical one"}
    parameters = [
        {"name": "cluster", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "name", "in": "path", "required": True, "schema": place},
        {
            "name": "version",
            "in": "query",
            "description": "the model's; another one's is a 404, the right one's may be kept for good",
            "schema": {"type": "string"},
        },
    ]
    content: Json = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    # in plain text it is BentoML's answer to a path with a line break
    missing = {"404": {"description": "No such image, or one of another model", "content": _json("Refusal") | _PLAIN}}
    summary = "A typical image of a cluster, at an address out of GET /model"
    return {**_get("get_typical_image", summary, content, missing), "parameters": parameters}


def _get(operation: str, summary: str, content: Json, refusals: Mapping[str, object] | None = None) -> Json:
    responses = {"200": {"description": "OK", "content": content}, **(refusals or {}), **_guarded()}
    return {"operationId": operation, "summary": summary, "responses": responses}


def _probe(operation: str, summary: str) -> Json:
    responses = {"200": {"description": "Yes", "content": _PLAIN}}
    return {"operationId": operation, "summary": summary, "security": [], "responses": responses}
