"""A backbone and a source as someone else would add them: one class each, and nothing changed elsewhere."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from data.images.deep import Reading
from data.sources import SourceKind
from data.sources.options import SourceOptions
from data.sources.source import Source
from training.networks.backbone import Backbone
from training.networks.normalisation import Normalisation


class GroupNormed(Backbone):
    """Two convolutions with group and layer normalisation: no statistics over the steps at all."""

    normalisation = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

    def __init__(self, size: int) -> None:
        super().__init__()
        self.width = 16
        self.stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.groups = nn.GroupNorm(2, 8)
        self.second = nn.Conv2d(8, self.width, 3, 2, 1, bias=False)
        self.layer = nn.LayerNorm(self.width)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.second(torch.relu(self.groups(self.stem(images)))).mean((2, 3))
        # without the bend the squares of a normalised layer would sum to a constant, and no weight would matter
        return torch.relu(self.layer(pooled))


@dataclass(frozen=True)
class StripesOptions(SourceOptions):
    """Options of its own, of each kind that TOML and the command line know."""

    n_drawn: int = 30
    """Images."""
    contrast: float = 1.0
    """0 to 1."""
    directions: tuple[str, ...] = ("across", "along")
    is_dark: bool = False
    """Whether the stripes are black on grey."""


@dataclass(frozen=True)
class Stripes(Source):
    """Striped images that three annotators have judged; each third one in two ways."""

    n_drawn: int
    contrast: float
    directions: tuple[str, ...]
    is_dark: bool

    def names(self) -> list[str]:
        return [f"stripes_{number:03d}" for number in range(self.n_drawn)]

    def votes(self) -> pd.DataFrame:
        rows = [
            (name, self.directions[(number + (number % 3 == 0 and seat == 2)) % len(self.directions)], f"rater {seat}")
            for number, name in enumerate(self.names())
            for seat in range(3)
        ]
        return pd.DataFrame(rows, columns=["image", "label", "annotator"])

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        number = int(name[-3:])
        wave = np.sin(np.arange(20) * (0.4 + number / 20))
        values = 128 + (-100 if self.is_dark else 100) * self.contrast * wave
        grey = np.broadcast_to(values if number % 2 else values[:, None], (20, 20))
        return np.repeat(grey[:, :, None], 3, 2).astype(np.uint8)

    def content(self, name: str) -> bytes:
        return self.read(name).tobytes()


STRIPES = SourceKind(
    lambda options: Stripes(options.n_drawn, options.contrast, options.directions, options.is_dark), StripesOptions
)
"""The one line."""
