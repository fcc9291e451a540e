"""What a cluster holds: its members, most typical first, and a caption from the class probabilities."""

from typing import NamedTuple

import numpy as np

from data.predictions import Predictions


class Cluster(NamedTuple):
    """The ambiguous images of one cluster."""

    number: int
    caption: str
    members: np.ndarray
    """Row numbers, most typical first."""


def list_clusters(predictions: Predictions) -> list[Cluster]:
    """The clusters that hold ambiguous images, largest first.

    Typical is what lies near the mean of the cluster's embeddings.
    """
    ambiguous = np.flatnonzero(~predictions.certain)
    numbers = predictions.clusters[ambiguous].argmax(1) if len(ambiguous) else ambiguous
    captions = caption_clusters(predictions)
    found = []
    for number in np.unique(numbers):
        members = ambiguous[numbers == number]
        embedding = predictions.embedding[members]
        order = np.linalg.norm(embedding - embedding.mean(0), axis=1).argsort(kind="stable")
        found.append(Cluster(int(number), captions[number], members[order]))
    return sorted(found, key=lambda cluster: (-len(cluster.members), cluster.number))


def caption_clusters(predictions: Predictions, least_share: float = 0.2) -> tuple[str, ...]:
    """One caption for each of the k' clusters: the classes with at least `least_share` of its mean p_n, at most three.

    Captions come from the network alone, ambiguous members first, all members where there are none; an empty
    cluster is called 'empty'. Example: 'cat or dog'.
    """
    numbers = predictions.clusters.argmax(1)
    captions = []
    for number in range(predictions.clusters.shape[1]):
        members = numbers == number
        chosen = members & ~predictions.certain
        chosen = chosen if chosen.any() else members
        if not chosen.any():
            captions.append("empty")
            continue
        share = predictions.classes[chosen].mean(0)
        names = [predictions.class_names[index] for index in (-share).argsort(kind="stable")[:3]]
        kept = [name for name, value in zip(names, -np.sort(-share), strict=False) if value >= least_share]
        captions.append(" or ".join(kept or names[:1]))
    return tuple(captions)
