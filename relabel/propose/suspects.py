"""Marks members of a cluster that may not belong to it."""

import numpy as np

from data.typical import distances

FAR = 3.5
"""Modified z-score from which a value counts as an outlier (Iglewicz and Hoaglin 1993)."""
MARGIN = 0.5
"""By which another class's share exceeds that of the proposal."""
LEAST_MEMBERS = 5
"""Of fewer, no distance is unusual."""


def find_suspects(embedding: np.ndarray, share: np.ndarray, proposal: int | None) -> np.ndarray:
    """(M,) True for members that lie far off, or that another class explains better than the proposed one.

    Args:
        embedding: (M, F).
        share: (M, k) expected share of each class among the votes.
        proposal: class number proposed for all, None where none is.
    """
    suspect = is_far(distances(embedding))
    if proposal is not None:
        suspect |= share.max(1) - share[:, proposal] >= MARGIN
    return suspect


def is_far(distance: np.ndarray) -> np.ndarray:
    """(M,) True for outliers to the far side, by 0.6745 (d - median) / MAD.

    Example: of 1.0 1.1 1.2 1.3 1.4 9.0 the last one is far.
    """
    off = distance - np.median(distance)
    deviation = np.median(np.abs(off))
    if len(distance) < LEAST_MEMBERS or deviation == 0:
        return np.zeros(len(distance), bool)
    return np.asarray(0.6745 * off / deviation > FAR)
