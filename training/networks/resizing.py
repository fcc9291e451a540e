"""Stored images -> the size that a backbone wants, as one matrix product a side."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Resizing(NamedTuple):
    """From images as they are stored to those that a backbone takes; sides in pixels."""

    stored: int
    wanted: int
    interpolation: str
    """bilinear or bicubic, as the weights were learned with."""


class Resize(nn.Module):
    """Square images (N, 3, stored, stored) -> (N, 3, wanted, wanted), larger or smaller.

    It equals Pillow's resizing, with which timm's weights were learned: bicubic with a = -1/2, filtered where it
    shrinks, values kept in range. Each is linear along a side, so a matrix says it all; as a matrix it is exported to
    ONNX, whose own Resize knows neither, and costs a hundredth of the backbone. It has no weights: checkpoints do not
    know of it.
    """

    matrix: Tensor
    """(wanted, stored); a row's values sum to 1."""

    def __init__(self, resizing: Resizing | None) -> None:
        super().__init__()
        self.is_needed = resizing is not None and resizing.stored != resizing.wanted
        matrix = _find_matrix(resizing) if resizing and self.is_needed else torch.zeros(0, 0)
        self.register_buffer("matrix", matrix, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images in [-1, 1]; so are those that come out."""
        if not self.is_needed:
            return images
        if torch.is_autocast_enabled(images.device.type):
            # in bf16 a pixel's place would keep 8 bits: neighbours would blur into each other
            with torch.autocast(images.device.type, enabled=False):
                return self._resize(images.float())
        return self._resize(images)

    def _resize(self, images: Tensor) -> Tensor:
        return (self.matrix @ images @ self.matrix.T).clamp(-1, 1)


def _find_matrix(resizing: Resizing) -> Tensor:
    """What torch makes of each unit vector: the columns."""
    units = torch.eye(resizing.stored, dtype=torch.float64)[None, None]
    size = (resizing.wanted, resizing.stored)
    return F.interpolate(units, size, mode=resizing.interpolation, antialias=True)[0, 0].float()
