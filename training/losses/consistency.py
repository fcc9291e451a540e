"""Losses of the semi-supervised methods, one number an image, and what their guesses are made into."""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """(N,) cross-entropy of (N, k) logits to (N, k) target probabilities; no gradient reaches the targets."""
    return -(targets.detach() * logits.log_softmax(1)).sum(1)


def squared_difference(logits: Tensor, targets: Tensor) -> Tensor:
    """(N,) squared difference of softmax(logits) to (N, k) target probabilities, mean over the classes.

    The consistency loss of the Pi-model and Mean Teacher; no gradient reaches the targets.
    """
    return (logits.softmax(1) - targets.detach()).square().mean(1)


def hard_labels(probabilities: Tensor) -> Tensor:
    """(N, k) with a 1 at the largest of each row (Lee 2013)."""
    return torch.zeros_like(probabilities).scatter(1, probabilities.argmax(1, keepdim=True), 1.0)


def sharpen(probabilities: Tensor, temperature: float) -> Tensor:
    """(N, k) p^(1/T), normalised: closer to a hard label the smaller T is (Berthelot et al. 2019; Xie et al. 2020)."""
    # as softmax(log p / T): the power of a small probability is 0 in float32
    return (probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log() / temperature).softmax(1)


def confident(probabilities: Tensor, threshold: float | Tensor) -> Tensor:
    """(N,) 1 where the largest of a row reaches the threshold, a number or (N,), else 0 (Sohn et al. 2020)."""
    return (probabilities.amax(1) >= threshold).to(probabilities.dtype)
