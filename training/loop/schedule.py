"""Learning rate and optimiser of the SSL literature."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from training.options import OptimiserOptions


def build_optimiser(network: nn.Module, options: OptimiserOptions) -> torch.optim.SGD:
    """SGD whose weight decay spares biases and normalisation; plain SGD where the momentum is 0.

    On CUDA one fused kernel a group, with the rate on the device: a captured step reads it anew at each replay.
    """
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    on_cuda = parameters[0].is_cuda
    return torch.optim.SGD(
        groups,
        lr=torch.tensor(options.lr, device=parameters[0].device) if on_cuda else options.lr,
        momentum=options.momentum,
        nesterov=options.momentum > 0,
        fused=True,
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Sets the rate of the next step, on the device where it lies there."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Takes over the momenta of a checkpoint, which another device may have written; the options stay our own."""
    own = [{name: value for name, value in group.items() if name != "params"} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, options in zip(optimiser.param_groups, own, strict=True):
        group.update(options)


def learning_rate(lr: float, progress: float) -> float:
    """lr * cos(7 pi progress / 16): falls to a fifth of its start value (FixMatch)."""
    return lr * math.cos(7 * math.pi * progress / 16)
