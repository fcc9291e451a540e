"""The three outputs of one forward pass."""

from typing import NamedTuple

from torch import Tensor


class Outputs(NamedTuple):
    """Logits of one forward pass (paper, Figure 2)."""

    classes: Tensor
    """(N, k), p_n before the softmax."""
    clusters: Tensor
    """(N, k'), p_o before the softmax."""
    ambiguity: Tensor
    """(N,), p_a before the sigmoid."""

    def detach(self) -> "Outputs":
        """The same values, cut from the graph."""
        return Outputs(*(output.detach() for output in self))

    def split(self, sizes: list[int]) -> list["Outputs"]:
        """Cuts a joint pass into its parts."""
        parts = zip(*(output.split(sizes) for output in self), strict=True)
        return [Outputs(*part) for part in parts]
