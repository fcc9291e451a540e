"""Splits a large cluster by similarity into parts that annotators can look at."""

import math

import numpy as np

FILL = 0.8
"""Parts are planned at this share of the most allowed, which leaves each cut room to fall between look-alikes."""


def split_cluster(embedding: np.ndarray, largest: int) -> list[np.ndarray]:
    """Row numbers of each part, none larger than `largest`; neighbouring parts are the most alike.

    Cuts in two along the first principal axis, where the parts are tightest among the cuts that leave both divisible,
    and goes on with each. k-means bounds no size: it would leave parts of one image beside parts that are too large.

    Args:
        embedding: (M, F) of the members.
    """
    rows = np.arange(len(embedding))
    if len(rows) <= largest:
        return [rows]
    return _split(embedding.astype(float), rows, largest, math.ceil(len(rows) / (FILL * largest)))


def _split(embedding: np.ndarray, rows: np.ndarray, largest: int, n_parts: int) -> list[np.ndarray]:
    if n_parts == 1 or len(rows) <= largest * FILL:
        return [rows]
    left = n_parts // 2
    order = rows[_project(embedding[rows]).argsort(kind="stable")]
    least = max(1, largest // 4)
    first = max(least, len(rows) - largest * (n_parts - left))
    last = min(len(rows) - least, largest * left)
    cut = first + int(_spread(embedding[order])[first - 1 : last].argmin())
    return _split(embedding, order[:cut], largest, left) + _split(embedding, order[cut:], largest, n_parts - left)


def _project(embedding: np.ndarray) -> np.ndarray:
    """(M,) places along the first principal axis."""
    centred = embedding - embedding.mean(0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    # the sign of an axis is arbitrary and differs between linear algebra libraries
    places: np.ndarray = centred @ (axis * np.sign(axis[np.abs(axis).argmax()]))
    return places


def _spread(ordered: np.ndarray) -> np.ndarray:
    """(M - 1,) sum of squared distances to the mean of each side, for each cut after rows 1 to M - 1."""

    def within(values: np.ndarray) -> np.ndarray:
        sizes = np.arange(1, len(values) + 1)
        return (values**2).sum(1).cumsum() - (values.cumsum(0) ** 2).sum(1) / sizes

    return within(ordered)[:-1] + within(ordered[::-1])[:-1][::-1]
