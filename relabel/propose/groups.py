"""Images with one proposal: the clusters of ambiguous images, and the certain images of each class."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.clusters import caption, list_clusters
from data.predictions import Predictions
from data.proposals import MIXED
from data.typical import order_typical
from relabel.cost import check_seconds
from relabel.propose.cluster_parts import split_cluster
from relabel.propose.options import ProposeOptions
from relabel.propose.ranking import member_minutes
from relabel.propose.suspects import find_suspects


class Group(NamedTuple):
    """Images with one proposal: a cluster, or the certain images of a class."""

    cluster: str
    """Name, empty for certain images."""
    members: np.ndarray
    """(M,) row numbers, most typical first."""
    caption: str
    proposal: str
    """Class or `mixed`."""
    suspect: np.ndarray
    """(M,) bool."""
    gain: np.ndarray
    """(M,) nats by which one more vote lowers the expected KL of each member."""
    minutes: np.ndarray
    """(M,) expected time for each member."""

    @property
    def gain_per_minute(self) -> float:
        """Of the group as a whole, in nats."""
        return float(self.gain.sum() / self.minutes.sum())

    def pick(self, rows: np.ndarray) -> "Group":
        """Some of the members, by their ranks."""
        arrays = {name: getattr(self, name)[rows] for name in ("members", "suspect", "gain", "minutes")}
        return self._replace(**arrays)


def group_clusters(
    predictions: Predictions, share: np.ndarray, gain: np.ndarray, options: ProposeOptions
) -> Iterator[Group]:
    """Ambiguous images by cluster; large ones in parts `12.1`, `12.2`."""
    names = predictions.class_names
    for cluster in list_clusters(predictions):
        members = np.sort(cluster.members)
        parts = split_cluster(predictions.embedding[members], options.max_cluster)
        for number, part in enumerate(parts, start=1):
            rows = _sort_typical(members[np.sort(part)], predictions)
            mean = share[rows].mean(0)
            proposal = suggest_class(mean, names, options.mixed_below)
            target = None if proposal == MIXED else names.index(proposal)
            if target is None:
                minutes = np.full(len(rows), options.cost.single_seconds / 60)
            else:
                minutes = member_minutes(share[rows, target], options.cost)
            yield Group(
                cluster=f"{cluster.number}.{number}" if len(parts) > 1 else str(cluster.number),
                members=rows,
                caption=caption(mean, names),
                proposal=proposal,
                suspect=find_suspects(predictions.embedding[rows], share[rows], target),
                gain=gain[rows],
                minutes=minutes,
            )


def group_classes(
    predictions: Predictions, share: np.ndarray, gain: np.ndarray, options: ProposeOptions
) -> Iterator[Group]:
    """Certain images by the class that the network gives them."""
    certain = predictions.certain
    classes = predictions.classes.argmax(1)
    for number, name in enumerate(predictions.class_names):
        members = np.flatnonzero(certain & (classes == number))
        if len(members):
            rows = _sort_typical(members, predictions)
            suspect = find_suspects(predictions.embedding[rows], share[rows], number)
            minutes = np.full(len(rows), check_seconds(options.cost) / 60)
            yield Group("", rows, name, name, suspect, gain[rows], minutes)


def suggest_class(share: np.ndarray, classes: tuple[str, ...], mixed_below: float) -> str:
    """The class with the largest share (k,), or `mixed` where that lies below `mixed_below`.

    Example: shares 0.4 0.35 0.25 give `mixed` at 0.5.
    """
    return classes[int(share.argmax())] if share.max() >= mixed_below else MIXED


def _sort_typical(members: np.ndarray, predictions: Predictions) -> np.ndarray:
    sorted_: np.ndarray = members[order_typical(predictions.embedding[members])]
    return sorted_
