"""The contract of a semi-supervised method: what it may declare, and its step."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import cross_entropy
from training.losses.step import Step
from training.losses.warm_up import WARM_UP_SHARE, ramp
from training.methods.state import Sizes, State
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


class Judged(NamedTuple):
    """What a method makes of its guesses on one batch."""

    counts: Tensor
    """(U,) how far the loss of each image counts, 0 to 1."""
    state: State
    """The tensors of the state that are other ones from now on."""


class Method(ABC):
    """A semi-supervised method: its options are fields, its work is `step`, the rest says what it is able to do.

    The suite in tests/contracts holds a method to what it declares, and to the defaults where it declares nothing.
    """

    views: ClassVar[tuple[View, ...]]
    """The augmentations of each unlabelled image that it needs. The guess is made on the first of them and the student
    learns on the last."""
    learns_unlabelled: ClassVar[bool] = True
    """Whether its own loss looks at them; if not, `step` gets no views where the DC3 terms do not either."""
    passes_jointly: ClassVar[bool] = False
    """Whether all images go through the network in one pass, whose statistics batch normalisation keeps; if not, the
    pass of the labelled images alone moves them."""
    couples_images: ClassVar[bool] = False
    """Whether the loss of an unlabelled image hangs on other images of the batch by more than `judge`."""
    mixes_images: ClassVar[bool] = False
    """Whether the network learns on mixtures of two images (which couples them)."""
    unlabelled_ratio: int = 1
    """Unlabelled images per labelled image."""

    def make_state(self, sizes: Sizes) -> State:
        """What it keeps from step to step, as it is before the first one; empty for most."""
        return {}

    def warm_up(self, progress: Progress) -> float | Tensor:
        """The share of its full weight that the unlabelled loss has by now, 0 to 1."""
        return 1.0

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """How far each guess counts, and what that changes in the state; a pure function: `step` writes the state.

        Args:
            guesses: (U, k) probabilities, without gradient.
            rows: (U,) places of their images in the unlabelled part.
            state: as it was before this batch.
        """
        return Judged(torch.ones_like(guesses[:, 0]), {})

    def target(self, guesses: Tensor) -> Tensor:
        """(U, k) probabilities that the student is drawn to, of (U, k) guesses; never flatter than they are."""
        return guesses

    @abstractmethod
    def step(
        self,
        network: nn.Module,
        teacher: Forward,
        batch: Batch,
        progress: Progress,
        generator: torch.Generator,
        state: State,
    ) -> Step:
        """Losses of one batch, per image.

        Args:
            network: the student; gradients may reach it and nothing else.
            teacher: forward pass of the averaged weights, without gradient.
            generator: the only source of randomness, but for modules such as dropout; the loop seeds both.
            state: what `make_state` built; its tensors are changed in place (`renew`), never replaced.

        On a GPU the step is captured once and replayed: no value may be read by the host (`.item()`, `if tensor`,
        `nonzero`, a mask as index), nothing copied to the device, and shapes must hang on the batch's shapes alone.
        """


def supervised_loss(outputs: Outputs, batch: Batch) -> Tensor:
    """(B,) cross-entropy to the labels, weighted by n / (k n_c) of their class."""
    return cross_entropy(outputs.classes, batch.targets) * batch.class_weights


def warm_up_by_share(progress: Progress) -> Tensor:
    """Linear weight from 0 to 1 over the first 40 % of the steps."""
    return ramp(progress.share / WARM_UP_SHARE)
