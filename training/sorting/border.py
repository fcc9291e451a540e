"""The border: from which value on a score calls an image ambiguous, as a share of the images that were seen."""

import numpy as np

NEVER = 1.0
"""A border that no 1 - max p_n reaches: k classes leave at most 1 - 1/k."""


def border_at_share(scores: np.ndarray, share: float) -> float:
    """The border for which the share of scores on it or above comes nearest to `share`; images of equal score stay
    together, and of two borders equally near it is the one with fewer ambiguous images.

    It lies halfway to the next lower score: a rounding error elsewhere (another machine, a file) moves no image.
    Example: of 0.1 0.2 0.2 0.6 a share of 0.5 could be 1 or 3 of 4 images: 1, so 0.4.

    Args:
        scores: (N,) 0 to 1, N at least 1.
        share: 0 to 1.
    """
    values, sizes = np.unique(scores.astype(np.float64), return_counts=True)
    # place p calls values[p:] ambiguous; the last one nobody
    n_ambiguous = np.append(np.cumsum(sizes[::-1])[::-1], 0)
    distance = np.abs(n_ambiguous - share * len(scores))
    place = len(values) - int(np.argmin(distance[::-1]))
    if place == len(values):
        return NEVER
    if place == 0:
        return 0.0
    return float((values[place - 1] + values[place]) / 2)
