"""What a semi-supervised method hands to the DC3 loss: losses per image, unreduced."""

from typing import NamedTuple

from torch import Tensor

from training.networks.outputs import Outputs


class Step(NamedTuple):
    """One batch after a method: it never knows of DC3, and DC3 never asks which method it was."""

    labelled: Outputs
    """(B, ...) of the labelled images."""
    unlabelled: Outputs | None
    """(U, ...) of the unlabelled view whose p_a and p_n count; None where the batch has no unlabelled view."""
    second: Outputs | None
    """(U, ...) of the other view, where the method has one."""
    supervised: Tensor
    """(B,) labelled loss."""
    unsupervised: Tensor | None
    """(U,) unlabelled loss, already masked and weighted; None where the method has none."""
