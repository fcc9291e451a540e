"""Class blending (CleverLabel, arXiv 2305.12811): what a class is usually confused with, mixed into few votes."""

import numpy as np

from data.errors import InputError
from data.votes.counts import leading, soft_labels
from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import Ballots


def blend_classes(ballots: Ballots, options: EstimateOptions) -> np.ndarray:
    """(N, k) share of the votes, blended with the mean soft label of the class that leads.

    With one vote an image, and no `blend_with`, the classes' means are one-hot and nothing changes.
    """
    return blend(soft_labels(ballots.counts), options.blend, ballots.blend_with)


def blend(soft: np.ndarray, weight: float, blend_with: np.ndarray | None = None) -> np.ndarray:
    """(1 - weight) p + weight C[argmax p]; at a tie the mean over the C of all leading classes.

    Example: p = 1 0, C[0] = 0.9 0.1 and weight 0.25 give 0.975 0.025.

    Args:
        soft: (N, k), p.
        weight: 0 (p as it is) to 1 (the class's mean only).
        blend_with: (k, k), C; None takes the mean of `soft` over the images that each class leads.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"The weight of class blending must lie in 0 to 1, it is {weight}.")
    means = mean_soft_labels(soft) if blend_with is None else blend_with
    return (1 - weight) * soft + weight * _lead_shares(soft) @ means


def mean_soft_labels(soft: np.ndarray) -> np.ndarray:
    """(k, k) C: row c is the mean soft label of the images that class c leads, one-hot where it leads none.

    An image led by several classes counts for each in equal parts.
    """
    shares = _lead_shares(soft)
    sizes = shares.sum(0)
    means = shares.T @ soft / np.maximum(sizes, 1e-12)[:, None]
    return np.where(sizes[:, None] > 0, means, np.eye(soft.shape[1]))


def _lead_shares(soft: np.ndarray) -> np.ndarray:
    """(N, k) 1 for the class that leads, in equal parts for those at a tie."""
    leads = leading(soft)
    shares: np.ndarray = leads / np.maximum(leads.sum(1, keepdims=True), 1)
    return shares
