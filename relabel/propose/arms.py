"""Who gets a proposal: the control arm is drawn at random."""

import math

import numpy as np


def draw_control(strata: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """(N,) True for images of the control arm: at least `share` of each stratum.

    Args:
        strata: (N,) group of each image: certain and ambiguous images are drawn apart, so that the arms compare.
    """
    control = np.zeros(len(strata), bool)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        # the tolerance: 0.1 * 30 is 3.0000000000000004
        control[generator.permutation(rows)[: math.ceil(share * len(rows) - 1e-9)]] = True
    return control
