"""Learning rate and optimiser of the SSL literature."""

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class OptimiserOptions:
    """SGD with Nesterov momentum; the defaults are the authors'."""

    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """On the kernels only."""
    ema_decay: float = 0.999
    """Of the averaged weights that evaluate and teach; runs far below 16,384 steps need less."""
    batch_norm_decay: float = 0.999
    """Of the running statistics; runs far below 16,384 steps need less."""


def build_optimiser(network: nn.Module, options: OptimiserOptions) -> torch.optim.SGD:
    """SGD whose weight decay spares biases and normalisation; plain SGD where the momentum is 0."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=options.lr, momentum=options.momentum, nesterov=options.momentum > 0)


def learning_rate(lr: float, progress: float) -> float:
    """lr * cos(7 pi progress / 16): falls to a fifth of its start value (FixMatch)."""
    return lr * math.cos(7 * math.pi * progress / 16)
