"""Class blending (CleverLabel, arXiv 2305.12811): what a class is usually confused with, mixed into few votes."""

import numpy as np

from relabel.soft_labels.evidence import EstimateOptions, Evidence
from training.data.votes import majority, soft_labels
from training.errors import InputError


def blend_classes(evidence: Evidence, options: EstimateOptions) -> np.ndarray:
    """(N, k) share of the votes, blended with the mean soft label of the class that leads.

    With one vote an image, and no `blend_with`, the classes' means are one-hot and nothing changes.
    """
    return blend(soft_labels(evidence.counts), options.blend, evidence.blend_with)


def blend(soft: np.ndarray, weight: float, blend_with: np.ndarray | None = None) -> np.ndarray:
    """(1 - weight) p + weight C[argmax p]; the first class leads at a tie.

    Example: p = 1 0, C[0] = 0.9 0.1 and weight 0.25 give 0.975 0.025.

    Args:
        soft: (N, k), p.
        weight: 0 (p as it is) to 1 (the class's mean only).
        blend_with: (k, k), C; None takes the mean of `soft` over the images that each class leads.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"The weight of class blending must lie in 0 to 1, it is {weight}.")
    means = mean_soft_labels(soft) if blend_with is None else blend_with
    return (1 - weight) * soft + weight * means[soft.argmax(1)]


def mean_soft_labels(soft: np.ndarray) -> np.ndarray:
    """(k, k) C: row c is the mean soft label of the images that class c leads, one-hot where it leads none."""
    leading = majority(soft)
    means = np.eye(soft.shape[1])
    for number in np.unique(leading):
        means[number] = soft[leading == number].mean(0)
    return means
