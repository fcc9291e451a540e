"""The OpenAPI description of the service, as its clients may rely on it."""

from serving.settings import Settings

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def _nullable(schema: dict[str, object]) -> dict[str, object]:
    return {"anyOf": [schema, {"type": "null"}]}


_ERROR: dict[str, object] = {
    "type": "object",
    "required": ["status", "reason", "message"],
    "properties": {
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "stable, for programs"},
        "message": {"type": "string", "description": "for people"},
    },
}
_ANSWER: dict[str, object] = {
    "type": "object",
    "description": "One image; without prediction all but name, model_version and error are null.",
    "required": [
        "name",
        "decision",
        "class",
        "class_probability",
        "class_probabilities",
        "cluster",
        "cluster_caption",
        "ambiguity",
        "model_version",
        "error",
    ],
    "properties": {
        "name": {"type": "string"},
        "decision": _nullable({"type": "string", "enum": ["class", "cluster"]}),
        "class": _nullable({"type": "string"}),
        "class_probability": _nullable(_PROBABILITY),
        "class_probabilities": _nullable({"type": "object", "additionalProperties": _PROBABILITY}),
        "cluster": _nullable({"type": "integer", "minimum": 0}),
        "cluster_caption": _nullable({"type": "string"}),
        "ambiguity": _nullable(_PROBABILITY),
        "model_version": {"type": "string"},
        "error": _nullable({"$ref": "#/components/schemas/Error"}),
    },
}
_PREDICTIONS: dict[str, object] = {
    "type": "object",
    "required": ["model_version", "answers", "error"],
    "properties": {
        "model_version": {"type": "string"},
        "answers": {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}},
        "error": _nullable({"$ref": "#/components/schemas/Error"}),
    },
}
_MODEL: dict[str, object] = {
    "type": "object",
    "required": ["model_version", "classes", "captions", "input_size", "run_id", "metrics", "fingerprint"],
    "properties": {
        "model_version": {"type": "string"},
        "classes": {"type": "array", "items": {"type": "string"}},
        "captions": {"type": "array", "items": {"type": "string"}, "description": "one a cluster"},
        "input_size": {"type": "integer", "minimum": 1},
        "run_id": {"type": "string"},
        "prior": {"type": "number"},
        "variant": {"type": "string"},
        "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
        "fingerprint": {"type": "string"},
        "precision": {"type": "string", "enum": ["float32", "float16", "int8"]},
        "format_version": {"type": "integer"},
    },
}
_REFUSALS = {
    "400": "no image in the request",
    "401": "no valid API key",
    "403": "another machine, and no API keys are set",
    "408": "the body came too slowly",
    "413": "too many bytes, images or pixels",
    "415": "not an image",
    "422": "a damaged image",
    "503": "too busy; try again after Retry-After seconds",
    "504": "no answer in time",
}


def describe(settings: Settings) -> dict[str, object]:
    """The OpenAPI 3.1 document of the service with these settings."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DC3",
            "version": "1",
            "description": "Class or cluster, and how ambiguous, for each image.",
        },
        "paths": {
            "/predict": {"post": _predict(settings)},
            "/model": {"get": _get("What the model is", {"$ref": "#/components/schemas/Model"})},
        },
        "components": {
            "schemas": {"Answer": _ANSWER, "Error": _ERROR, "Predictions": _PREDICTIONS, "Model": _MODEL},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}, {}],
    }


def _predict(settings: Settings) -> dict[str, object]:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Predictions"}}}
    return {
        "summary": "Predict one or many images",
        "description": "An image's type is read from its bytes. 200 as soon as one image was read; the others have "
        "their error in their place. With none read, the status of the errors.",
        "requestBody": {"required": True, "content": _bodies(settings.max_images)},
        "responses": {
            "200": {"description": "One answer for each image, in order", "content": body},
            **{status: {"description": text, "content": body} for status, text in _REFUSALS.items()},
        },
    }


def _bodies(max_images: int) -> dict[str, object]:
    binary = {"type": "string", "format": "binary"}
    encoded = {"type": "string", "contentEncoding": "base64"}
    named = {
        "type": "object",
        "required": ["data"],
        "properties": {"name": {"type": "string"}, "data": encoded},
    }
    return {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {"images": {"type": "array", "items": binary, "minItems": 1, "maxItems": max_images}},
            }
        },
        "image/*": {"schema": binary},
        "application/octet-stream": {"schema": binary},
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {
                    "images": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": max_images,
                        "items": {"anyOf": [encoded, named]},
                    }
                },
            }
        },
    }


def _get(summary: str, schema: dict[str, object]) -> dict[str, object]:
    return {
        "summary": summary,
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
    }
