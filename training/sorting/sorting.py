"""A sorting decides after the training what is certain, and to which cluster an ambiguous image belongs."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Self

import numpy as np
from torch import Tensor, nn

from training.options import SortingOptions


class Seen(NamedTuple):
    """What a network says of the N images that it was trained on; a sorting is fitted on these and no others."""

    classes: np.ndarray
    """(N, k) float32, p_n."""
    clusters: np.ndarray
    """(N, k') float32, p_o."""
    ambiguity: np.ndarray
    """(N,) float32, p_a; zeros where the variant trains none."""
    features: np.ndarray
    """(N, F) float32."""


class Sorting(nn.Module, ABC):
    """The last step of a prediction: buffers only, no weights, and nothing that hangs on the number of images.

    It is built from its buffers by name, as `state_dict` gives them, so that what was stored is what was fitted. It
    travels in the ONNX graph: tensor operations (torch.where), never `if` on a value, nor a mask as an index.
    """

    gives_ambiguity: ClassVar[bool]
    """Whether it tells certain from ambiguous by itself; else it hands on what the network says, if that says it."""
    words: ClassVar[str]
    """What it goes by, for the run's page and model card."""

    @classmethod
    @abstractmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        """Fits one; the same images, options and seed give the same.

        Args:
            prior: p_A of the training, the share that is ambiguous where the options name none.
            seed: of all that is drawn.
        """

    @abstractmethod
    def forward(self, classes: Tensor, clusters: Tensor, ambiguity: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Sorts a batch, each image by itself.

        Args:
            classes: (N, k) p_n, `clusters` (N, k') p_o, `ambiguity` (N,) p_a, `features` (N, F).

        Returns:
            cluster probabilities (N, k'), whose largest is the image's cluster, and ambiguity (N,), 0 to 1; certain is
            what lies below one half (`data.certain`).
        """

    @abstractmethod
    def facts(self) -> dict[str, float]:
        """What people should know of it, by name; plain finite numbers."""
