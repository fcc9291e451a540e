"""The shapes of what clients send and read, as JSON schemas for serving.http.openapi."""

Json = dict[str, object]

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


ERROR: Json = {
    "type": "object",
    "required": ["status", "reason", "message"],
    "properties": {
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "stable, for programs"},
        "message": {"type": "string", "description": "for people"},
    },
}
ANSWER: Json = {
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
PREDICTIONS: Json = {
    "type": "object",
    "required": ["model_version", "answers", "error"],
    "properties": {
        "model_version": {"type": "string"},
        "answers": {"type": "array", "items": {"$ref": "#/components/schemas/Answer"}},
        "error": _nullable({"$ref": "#/components/schemas/Error"}),
    },
}
CLUSTER: Json = {
    "type": "object",
    "required": ["cluster", "caption", "images"],
    "properties": {
        "cluster": {"type": "integer", "minimum": 0},
        "caption": {"type": "string"},
        "images": {
            "type": "array",
            "items": {"type": "string", "format": "uri-reference"},
            "description": "its typical images, most typical first; addresses relative to the service's root",
        },
    },
}
READING: Json = {
    "type": "object",
    "description": "how files become pictures, as in training",
    "required": ["ranges", "page"],
    "properties": {
        "ranges": _nullable(
            {
                "type": "object",
                "description": "kind of picture of more than 8 bits: the values that become black and white",
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 2,
                },
            }
        ),
        "page": {"type": "integer", "minimum": 0, "description": "of TIFF stacks, from 1; 0: none is taken"},
    },
}
QUALITY: Json = {
    "type": "object",
    "description": "how good the model is, on the validation images of its training",
    "required": ["words", "proposals_help", "ambiguity_helps"],
    "properties": {
        "words": {"type": "array", "items": {"type": "string"}, "description": "for people, and what to do"},
        "proposals_help": _nullable(
            {
                "type": "boolean",
                "description": "whether proposals are right more often than the commonest class; null: not measured",
            }
        ),
        "ambiguity_helps": _nullable(
            {
                "type": "boolean",
                "description": "whether the ambiguity finds disputed images better than chance; null: not measured",
            }
        ),
    },
}
MODEL: Json = {
    "type": "object",
    "required": [
        "model_version",
        "run_id",
        "classes",
        "clusters",
        "input_size",
        "reading",
        "prior",
        "variant",
        "sorting",
        "network",
        "weights",
        "licence",
        "metrics",
        "quality",
        "fingerprint",
        "precision",
        "format_version",
    ],
    "properties": {
        "model_version": {"type": "string"},
        "run_id": {"type": "string"},
        "classes": {"type": "array", "items": {"type": "string"}},
        "clusters": {"type": "array", "items": {"$ref": "#/components/schemas/Cluster"}},
        "input_size": {"type": "integer", "minimum": 1, "description": "side in pixels"},
        "reading": READING,
        "prior": {"type": "number"},
        "variant": {"type": "string"},
        "sorting": {
            "type": "object",
            "description": "what decides which images are certain, and which cluster others belong to; its border",
            "required": ["by"],
            "properties": {"by": {"type": "string"}},
            "additionalProperties": {"type": "number"},
        },
        "network": {"type": "string", "description": "the backbone; empty in files of older exports, as the next two"},
        "weights": {"type": "string", "description": "with which its training began; empty: at random"},
        "licence": {"type": "string", "description": "of these weights, as their publisher states it"},
        "metrics": {"type": "object", "additionalProperties": _nullable({"type": "number"})},
        "quality": QUALITY,
        "fingerprint": {"type": "string", "description": "of the data that the model was trained on"},
        "precision": {"type": "string", "enum": ["float32", "float16", "int8"]},
        "format_version": {"type": "integer"},
    },
}
REFUSAL: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"$ref": "#/components/schemas/Error"}},
}
# Small enough to stand in a document: one white pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
NAMED_IMAGE: Json = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "name": {"type": "string"},
        "data": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "the file, or a data: URI of it; in lines, URL-safe or unpadded too",
        },
    },
}
