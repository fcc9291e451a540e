"""What a cluster holds: its members, most typical first, and a caption from the class probabilities."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.predictions import Predictions
from data.typical import order_typical

LEAST_SHARE = 0.2
"""Of its cluster that a class needs to stand in the caption."""
MOST_CLASSES = 3
"""In one caption."""


class Cluster(NamedTuple):
    """The ambiguous images of one cluster."""

    number: int
    caption: str
    members: np.ndarray
    """Row numbers, most typical first."""


def list_clusters(predictions: Predictions) -> list[Cluster]:
    """The clusters that hold ambiguous images, largest first."""
    ambiguous = np.flatnonzero(~predictions.certain)
    numbers = predictions.clusters[ambiguous].argmax(1) if len(ambiguous) else ambiguous
    return _group(predictions, ambiguous, numbers, caption_clusters(predictions))


def list_class_groups(predictions: Predictions) -> list[Cluster]:
    """The predicted classes as clusters, largest first: for variants that predict no ambiguity."""
    everything = np.arange(len(predictions.images))
    return _group(predictions, everything, predictions.classes.argmax(1), predictions.class_names)


def caption_clusters(predictions: Predictions) -> tuple[str, ...]:
    """One caption for each of the k' clusters, by its mean p_n.

    Captions come from the network alone, ambiguous members first, all members where there are none; an empty
    cluster is called 'empty'.
    """
    numbers = predictions.clusters.argmax(1)
    captions = []
    for number in range(predictions.clusters.shape[1]):
        members = numbers == number
        chosen = members & ~predictions.certain
        chosen = chosen if chosen.any() else members
        named = chosen.any()
        captions.append(caption(predictions.classes[chosen].mean(0), predictions.class_names) if named else "empty")
    return tuple(captions)


def caption(share: np.ndarray, classes: Sequence[str]) -> str:
    """Names the classes with at least a fifth of the cluster, three at most, the largest first.

    Example: shares 0.6 0.3 0.1 of cat, dog and horse give 'cat or dog'.

    Args:
        share: (k,) mean share of each class among the members, of the network alone or of the votes known as well.
    """
    order = (-share).argsort(kind="stable")[:MOST_CLASSES]
    named = [classes[number] for number in order if share[number] >= LEAST_SHARE]
    return " or ".join(named or [classes[order[0]]])


def _group(predictions: Predictions, rows: np.ndarray, numbers: np.ndarray, captions: Sequence[str]) -> list[Cluster]:
    """The rows by their number, the largest group first."""
    found = []
    for number in np.unique(numbers):
        members = rows[numbers == number]
        members = members[order_typical(predictions.embedding[members])]
        found.append(Cluster(int(number), captions[number], members))
    return sorted(found, key=lambda cluster: (-len(cluster.members), cluster.number))
