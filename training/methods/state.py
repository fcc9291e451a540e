"""What a method keeps from step to step: tensors that stay where they are and are changed in place."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

State = Mapping[str, Tensor]
"""By names of the method's own; no gradient in it. Written into each checkpoint and restored from it."""


class Sizes(NamedTuple):
    """What a state is built from, once for a training."""

    n_unlabelled: int
    """Images in the unlabelled part: `Batch.unlabelled_rows` are places in it."""
    n_classes: int
    device: torch.device


def renew(state: State, new: State) -> None:
    """Writes the tensors of `new` over those of the same names: a captured step finds them where they were."""
    for name, values in new.items():
        state[name].copy_(values)


def drift(old: Tensor, new: Tensor, momentum: float) -> Tensor:
    """A moving average that keeps `momentum` of its old value."""
    return momentum * old + (1 - momentum) * new
