"""One image's scores as the answer that a client reads."""

from typing import NamedTuple

import numpy as np

from serving.card import ModelCard
from serving.refused import Refused

CERTAIN_BELOW = 0.5
"""p_a below it: the class is the decision; from it on: the cluster."""
_DIGITS = 6

# A plain mapping and not a dataclass: its keys are the wire format, and one of them is the keyword `class`.
Answer = dict[str, object]


class Score(NamedTuple):
    """What the network says of one image."""

    classes: np.ndarray
    """(k,) p_n."""
    clusters: np.ndarray
    """(k',) p_o."""
    ambiguity: float
    """p_a."""


def answer(name: str, score: Score, card: ModelCard, version: str) -> Answer:
    """The answer for a predicted image."""
    best = int(score.classes.argmax())
    cluster = int(score.clusters.argmax())
    return {
        "name": name,
        "decision": decide(score),
        "class": card.classes[best],
        "class_probability": round(float(score.classes[best]), _DIGITS),
        "class_probabilities": {
            label: round(value, _DIGITS) for label, value in zip(card.classes, score.classes.tolist(), strict=True)
        },
        "cluster": cluster,
        "cluster_caption": card.captions[cluster],
        "ambiguity": round(score.ambiguity, _DIGITS),
        "model_version": version,
        "error": None,
    }


def decide(score: Score) -> str:
    """'class' for an image that the network takes as certain, else 'cluster'."""
    return "class" if score.ambiguity < CERTAIN_BELOW else "cluster"


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
