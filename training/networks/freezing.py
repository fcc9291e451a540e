"""Which weights of a backbone stay as they are: none, all, or all but those of its last stages."""

from torch import nn

from data.errors import InputError
from training.networks.backbone import Backbone


def freeze(backbone: Backbone, which: str) -> None:
    """Freezes weights, and keeps modules that have no others as in evaluation; `which` is none, all or a number N.

    Raises InputError where it has no N + 1 stages.
    """
    if which == "none":
        return
    frozen = {name for stage in _find_frozen(backbone, which) for name in stage}
    for name, weight in backbone.named_parameters():
        weight.requires_grad_(name not in frozen)
    backbone.still = tuple(name for name, module in backbone.named_modules() if _is_frozen(name, module, frozen))
    backbone.train(backbone.training)


def _find_frozen(backbone: Backbone, which: str) -> list[list[str]]:
    stages = backbone.list_stages()
    if which == "all":
        return stages
    if not which.isdecimal() or not 1 <= int(which) < len(stages):
        raise InputError(
            f"--freeze {which}: the last N stages are trained, N from 1 to {len(stages) - 1}, as this network has"
            f" {len(stages)}; take none to train all of it, and all to train none."
        )
    return stages[: -int(which)]


def _is_frozen(name: str, module: nn.Module, frozen: set[str]) -> bool:
    prefix = f"{name}." if name else ""
    weights = [prefix + weight for weight, _ in module.named_parameters()]
    return bool(weights) and frozen.issuperset(weights)
