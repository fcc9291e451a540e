"""Distance of soft labels to a reference: mean Kullback-Leibler divergence as the DCIC benchmark computes it."""

import numpy as np

CLIP = 1e-5
"""Probabilities are clipped to [1e-5, 1 - 1e-5], and not normalised again (DCIC, NeurIPS 2022, its code)."""


def mean_kl(reference: np.ndarray, soft: np.ndarray) -> float:
    """Mean over the images of sum_k t ln(t / p), in nats: 0 where all are equal, ln 1e5 = 11.5 at worst.

    Example: t = 1 0 and p = 0.5 0.5 give 0.693, ln 2 but for the clipping.

    Args:
        reference: (N, k), t.
        soft: (N, k), p, in the same order.
    """
    t, p = np.clip(reference, CLIP, 1 - CLIP), np.clip(soft, CLIP, 1 - CLIP)
    return float((t * np.log(t / p)).sum(1).mean())
