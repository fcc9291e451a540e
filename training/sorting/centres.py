"""Centres of clusters inside each predicted class, by k-means, without tiny ones."""

from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans

from training.sorting.sharing import share_out

N_STARTS = 10
SMALLEST = 0.2
"""Of the mean size of a cluster, which those below do not stand by themselves: a cluster of one or two is no proposal,
for nobody else says what it is, yet many of them would make the paper's d small."""
MOST_IMAGES = 20_000
"""Of one class that k-means looks at; more, drawn at random, would move no centre and take memory."""


class Centres(NamedTuple):
    """k' centres."""

    places: np.ndarray
    """(k', F) float32; zeros where a centre is not used."""
    owners: np.ndarray
    """(k',) number of the class whose images it takes; -1 where it is not used."""
    gap: float
    """By how much the second nearest centre of its class is farther than the nearest: the mean over images, squared."""


def find_centres(features: np.ndarray, classes: np.ndarray, n_classes: int, n_clusters: int, seed: int) -> Centres:
    """Shares the clusters out over the classes and finds the centres of each.

    A class without images gets one centre all the same, for another image may be predicted as it.

    Args:
        features: (N, F) of ambiguous images, any N.
        classes: (N,) predicted class.
    """
    counts = np.bincount(classes, minlength=n_classes)
    generator = np.random.default_rng(seed)
    members = [_draw(features[classes == number], generator) for number in range(n_classes)]
    most = np.array([max(len(np.unique(rows, axis=0)), 1) for rows in members])
    shares = share_out(counts, most, n_clusters)
    smallest = max(SMALLEST * len(features) / n_clusters, 2.0)
    places = np.zeros((n_clusters, features.shape[1]), dtype=np.float32)
    owners, gaps, used = np.full(n_clusters, -1), [], 0
    for number, (rows, share) in enumerate(zip(members, shares.tolist(), strict=True)):
        found = _cluster(rows, share, smallest * len(rows) / max(int(counts[number]), 1), seed)
        places[used : used + len(found)], owners[used : used + len(found)] = found, number
        used += len(found)
        if len(found) > 1:
            nearest = np.sort(_distances(rows, found), axis=1)
            gaps.append(nearest[:, 1] - nearest[:, 0])
    return Centres(places, owners, float(np.concatenate(gaps).mean()) if gaps else 1.0)


def _draw(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if len(rows) <= MOST_IMAGES:
        return rows
    return rows[np.sort(generator.choice(len(rows), MOST_IMAGES, replace=False))]


def _cluster(rows: np.ndarray, n: int, smallest: float, seed: int) -> np.ndarray:
    """(at most n, F) centres, each with `smallest` images or more, unless it is the only one."""
    if n == 1 or not len(rows):
        return rows.mean(0, keepdims=True) if len(rows) else np.zeros((1, rows.shape[1]), dtype=np.float32)
    found = KMeans(n, n_init=N_STARTS, random_state=seed).fit(rows)
    centres, sizes = found.cluster_centers_, np.bincount(found.labels_, minlength=n)
    while len(centres) > 1 and sizes.min() < smallest:
        # the members of the smallest go each to the nearest of those that are left, which move there
        centres = np.delete(centres, sizes.argmin(), axis=0)
        numbers = _distances(rows, centres).argmin(1)
        sizes = np.bincount(numbers, minlength=len(centres))
        centres = np.stack([rows[numbers == number].mean(0) for number in range(len(centres)) if sizes[number]])
        sizes = np.bincount(_distances(rows, centres).argmin(1), minlength=len(centres))
    return np.asarray(centres, dtype=np.float32)


def _distances(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(N, n) squared distances."""
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(1)
    return np.maximum(squares, 0)
