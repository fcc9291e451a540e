"""As published: p_a tells what is ambiguous, p_o the cluster (paper, section 2.2)."""

from typing import Self

from torch import Tensor

from training.options import SortingOptions
from training.sorting.sorting import Seen, Sorting


class NetworkSorting(Sorting):
    """Hands on what the network says."""

    gives_ambiguity = False
    words = "p_a and p_o of the network, as published"

    @classmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        """There is nothing to fit."""
        return cls()

    def forward(self, classes: Tensor, clusters: Tensor, ambiguity: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """p_o (N, k') and p_a (N,) as they are."""
        return clusters, ambiguity

    def facts(self) -> dict[str, float]:
        """None: its border is that of every ambiguity, one half."""
        return {}
