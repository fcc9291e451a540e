"""The one rule by which class or cluster decides, for training, its reports and the service alike."""

import numpy as np

CERTAIN_BELOW = 0.5
"""An image is certain when p_a lies below it; at 0.5 itself it is ambiguous (paper, section 2.2)."""


def is_certain(ambiguity: np.ndarray) -> np.ndarray:
    """(N,) True where the class output decides, False where the cluster output does.

    Args:
        ambiguity: (N,) p_a as the network gives it: 0.49999958, rounded first, would be another decision.
    """
    certain: np.ndarray = ambiguity < CERTAIN_BELOW
    return certain
