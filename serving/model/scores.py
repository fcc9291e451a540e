"""What the network says of an image, in plain numbers."""

from typing import NamedTuple

import numpy as np

from data.certain import is_certain
from serving.model.session import Scores

_DIGITS = 6
_AMBIGUITY_DIGITS = 8
"""With fewer, the float32 next below 0.5 would be told as 0.5, and a client would read another decision out of it."""


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


def decide(score: Score) -> str:
    """'class' for an image that the network takes as certain, else 'cluster'."""
    return "class" if score.certain else "cluster"
