"""Losses of the semi-supervised methods, one number an image."""

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


def pseudo_label_loss(logits: Tensor, guesses: Tensor, threshold: float) -> Tensor:
    """(N,) cross-entropy of (N, k) logits to the argmax of (N, k) guesses, zero below `threshold` confidence.

    The guesses are logits too and receive no gradient (Lee 2013; Sohn et al. 2020, FixMatch).
    """
    confidence, labels = guesses.detach().softmax(1).max(1)
    losses = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return losses * (confidence >= threshold)
