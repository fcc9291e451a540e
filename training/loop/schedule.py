"""Learning rate and optimiser of the SSL literature."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from training.options import OptimiserOptions


def build_optimiser(network: nn.Module, options: OptimiserOptions) -> torch.optim.SGD:
    """SGD whose weight decay spares biases and normalisation; plain SGD where the momentum is 0.

    One fused kernel a weight, on CUDA a group, there with the rate on the device: a captured step reads it anew at each
    replay.
    """
    groups = _group_weights(network, options)
    first = next(network.parameters())
    for group in groups:
        # of its own for each: a schedule that moves one tensor would move all that share it
        group["lr"] = torch.tensor(group["lr"], device=first.device) if first.is_cuda else group["lr"]
    return torch.optim.SGD(
        groups,
        lr=options.lr,
        momentum=options.momentum,
        nesterov=options.momentum > 0,
        fused=True if first.device.type in ("cuda", "cpu") else None,
    )


def _group_weights(network: nn.Module, options: OptimiserOptions) -> list[dict[str, Any]]:
    """Those that are trained, by decay and, where the backbone has a rate of its own, by that; frozen ones in none.

    `share` is a group's rate, as part of the head's: one schedule moves both.
    """
    trained = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    rates = {"": options.lr}
    if options.backbone_lr is not None:
        rates = {"backbone.": options.backbone_lr, "": options.lr}
    groups = []
    for prefix, rate in rates.items():
        weights = [weight for name, weight in trained if name.startswith(prefix)]
        trained = [(name, weight) for name, weight in trained if not name.startswith(prefix)]
        common = {"lr": rate, "share": rate / options.lr if options.lr else 1.0}
        kernels, others = [w for w in weights if w.ndim > 1], [w for w in weights if w.ndim <= 1]
        groups += [{"params": kernels, "weight_decay": options.weight_decay, **common}]
        groups += [{"params": others, "weight_decay": 0.0, **common}]
    return groups


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Sets the head's rate of the next step, the backbone's in proportion, on the device where it lies there."""
    for group in optimiser.param_groups:
        own = rate * group["share"]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(own)
        else:
            group["lr"] = own


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Takes over the momenta of a checkpoint, which another device may have written; the options stay our own."""
    own = [{name: value for name, value in group.items() if name != "params"} for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, options in zip(optimiser.param_groups, own, strict=True):
        group.update(options)


def learning_rate(lr: float, progress: float) -> float:
    """lr * cos(7 pi progress / 16): falls to a fifth of its start value (FixMatch)."""
    return lr * math.cos(7 * math.pi * progress / 16)
