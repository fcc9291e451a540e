"""One image's scores as the answer that a client reads."""

from serving.model.card import ModelCard
from serving.model.scores import Score, decide
from web.refused import Refused

# A plain mapping and not a dataclass: its keys are the wire format, and one of them is the keyword `class`.
Answer = dict[str, object]


def answer(name: str, score: Score, card: ModelCard, version: str) -> Answer:
    """The answer for a predicted image."""
    return {
        "name": name,
        "decision": decide(score),
        "class": card.classes[score.best],
        "class_probability": score.classes[score.best],
        "class_probabilities": dict(zip(card.classes, score.classes, strict=True)),
        "cluster": score.cluster,
        "cluster_caption": card.captions[score.cluster],
        "ambiguity": score.ambiguity,
        "model_version": version,
        "error": None,
    }


def answer_error(name: str, refused: Refused, version: str) -> Answer:
    """The answer for an image without a prediction: the same keys, null, and the error."""
    keys = (
        "decision",
        "class",
        "class_probability",
        "class_probabilities",
        "cluster",
        "cluster_caption",
        "ambiguity",
    )
    return {"name": name, **dict.fromkeys(keys), "model_version": version, "error": refused.to_json()}
