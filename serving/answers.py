"""One image's scores as the answer that a client reads."""

from typing import NamedTuple

import numpy as np

from serving.card import ModelCard
from serving.certain import is_certain
from serving.model import Scores
from serving.refused import Refused

_DIGITS = 6
_AMBIGUITY_DIGITS = 8
"""With fewer, the float32 next below 0.5 would be told as 0.5, and a client would read another decision out of it."""

# A plain mapping and not a dataclass: its keys are the wire format, and one of them is the keyword `class`.
Answer = dict[str, object]


class Score(NamedTuple):
    """What the network says of one image, in plain numbers of six digits, p_a of eight."""

    classes: list[float]
    """k, p_n."""
    best: int
    """Place of the largest of `classes`."""
    cluster: int
    """Place of the largest p_o."""
    ambiguity: float
    """p_a."""
    certain: bool
    """Decided before any rounding, as in training."""


def to_scores(scores: Scores) -> list[Score]:
    """The scores of a batch one by one."""
    # In float64, for a float32 has no short decimal form; once a batch, as numpy costs more than it does on one image.
    classes = scores.classes.astype(np.float64).round(_DIGITS).tolist()
    ambiguity = scores.ambiguity.astype(np.float64).round(_AMBIGUITY_DIGITS).tolist()
    certain = is_certain(scores.ambiguity).tolist()
    best, clusters = scores.classes.argmax(1).tolist(), scores.clusters.argmax(1).tolist()
    return list(map(Score, classes, best, clusters, ambiguity, certain))


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


def decide(score: Score) -> str:
    """'class' for an image that the network takes as certain, else 'cluster'."""
    return "class" if score.certain else "cluster"


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
