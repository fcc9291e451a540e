"""The contract of a semi-supervised method."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import cross_entropy
from training.losses.step import Step
from training.networks.outputs import Outputs

Forward = Callable[[Tensor], Outputs]
View = Literal["weak", "strong"]


class Progress(NamedTuple):
    """How far the training is: numbers, or 0-d tensors on the device, which one captured step can read anew.

    Reckon with them by tensor operations (`ramp`), never by `if`.
    """

    share: float | Tensor
    """Of all steps, 0 to 1."""
    n_labelled: float | Tensor
    """Labelled images seen, repetitions counted."""


class Method(ABC):
    """A semi-supervised method: its options are fields, its work is `step`."""

    views: ClassVar[tuple[View, ...]]
    """The augmentations of each unlabelled image that it needs."""
    learns_unlabelled: ClassVar[bool] = True
    """Whether its own loss looks at them; if not, `step` gets no views where the DC3 terms do not either."""
    unlabelled_ratio: int = 1
    """Unlabelled images per labelled image."""

    @abstractmethod
    def step(
        self, network: nn.Module, teacher: Forward, batch: Batch, progress: Progress, generator: torch.Generator
    ) -> Step:
        """Losses of one batch, per image.

        Args:
            network: the student; gradients may reach it and nothing else.
            teacher: forward pass of the averaged weights, without gradient.
            generator: the only source of randomness, but for modules such as dropout; the loop seeds both.

        On a GPU the step is captured once and replayed: no value may be read by the host (`.item()`, `if tensor`,
        `nonzero`, a mask as index), nothing copied to the device, and shapes must hang on the batch's shapes alone.
        """


def supervised_loss(outputs: Outputs, batch: Batch) -> Tensor:
    """(B,) cross-entropy to the labels, weighted by n / (k n_c) of their class."""
    return cross_entropy(outputs.classes, batch.targets) * batch.class_weights


def warm_up(progress: Progress) -> Tensor:
    """Linear weight from 0 to 1 over the first 40 % of the steps (settings of the DC3 authors)."""
    return ramp(progress.share / 0.4)


def ramp(done: float | Tensor) -> Tensor:
    """A weight that grows with `done` and is full from 1 on."""
    return torch.as_tensor(done, dtype=torch.float32).clamp(max=1.0)
