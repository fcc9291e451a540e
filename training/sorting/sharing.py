"""Clusters shared out over the classes: the more ambiguous images a class has, the more clusters it gets."""

import numpy as np


def share_out(counts: np.ndarray, most: np.ndarray, total: int) -> np.ndarray:
    """(k,) clusters of each class: in proportion to `counts` by largest remainder, at least 1, at most `most`.

    The sum is `total`, or less where all classes have their most; what a full class leaves goes to the others.
    Example: 60 30 9 images and 10 clusters give 6 3 1; with at most 4 in the first they give 4 5 1.

    Args:
        counts: (k,) images.
        most: (k,) at least 1 each.
        total: at least k.
    """
    assert total >= len(counts), "one for each class at least"
    wanted = _spread(counts, most, total)
    found = np.clip(np.floor(wanted), 1, most).astype(np.int64)
    while found.sum() < min(total, most.sum()):
        found[np.argmax(np.where(found < most, wanted - found, -np.inf))] += 1
    while found.sum() > total:  # of classes whose share is below the one that they get
        found[np.argmin(np.where(found > 1, wanted - found, np.inf))] -= 1
    return found


def _spread(counts: np.ndarray, most: np.ndarray, total: int) -> np.ndarray:
    """(k,) shares of `total` in proportion, none above its most, before they are rounded."""
    full = np.zeros(len(counts), dtype=bool)
    while True:
        left = max(total - int(most[full].sum()), 0)
        wanted = np.where(full, most, left * counts / max(int(counts[~full].sum()), 1))
        over = ~full & (wanted > most)
        if not over.any():
            return wanted
        full |= over
