"""What a backbone wants its input to be like, and the one place that makes it so."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Normalisation(NamedTuple):
    """(v - mean) / std of each channel, for values v from 0 (black) to 1 (white)."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


SIGNED = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""[-1, 1], as the images come out of the augmentation: for backbones that learn from random weights."""


class Normalise(nn.Module):
    """Images in [-1, 1] -> as a backbone wants them; has no weights, so that checkpoints do not know of it."""

    mean: Tensor
    std: Tensor

    def __init__(self, wanted: Normalisation) -> None:
        super().__init__()
        self.is_needed = wanted != SIGNED
        for name, values in wanted._asdict().items():
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W)."""
        return ((images + 1) / 2 - self.mean) / self.std if self.is_needed else images
