"""Suggests a cluster's caption and class from what is known of its members."""

import numpy as np

from data.proposals import MIXED

LEAST_SHARE = 0.2
MOST_CLASSES = 3


def suggest_caption(share: np.ndarray, classes: tuple[str, ...]) -> str:
    """Names the classes with at least a fifth of the cluster, three at most, the largest first.

    Example: shares 0.6 0.3 0.1 of cat, dog and horse give 'cat or dog'.

    Args:
        share: (k,) mean share of each class among the members' votes.
    """
    order = (-share).argsort(kind="stable")[:MOST_CLASSES]
    named = [classes[number] for number in order if share[number] >= LEAST_SHARE]
    return " or ".join(named or [classes[order[0]]])


def suggest_class(share: np.ndarray, classes: tuple[str, ...], mixed_below: float) -> str:
    """The class with the largest share (k,), or `mixed` where that lies below `mixed_below`.

    Example: shares 0.4 0.35 0.25 give `mixed` at 0.5.
    """
    return classes[int(share.argmax())] if share.max() >= mixed_below else MIXED
