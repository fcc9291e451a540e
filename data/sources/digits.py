"""Embedded data without a download: scikit-learn's digits, blends of two digits, and simulated annotators."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from data.images.deep import Reading
from data.sources.source import Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Digits(Source):
    """1,797 written digits and `n_blends` images mixed of two different digits; equal options, equal data.

    An annotator answers a clear digit rightly with probability `skill`, else any digit; of a blend he sees
    one of its two digits, the stronger one more often. Blending is the stated, known source of ambiguity.
    """

    n_blends: int = 800
    n_annotators: int = 10
    skill: float = 0.98
    seed: int = 0
    _images: np.ndarray = field(init=False, repr=False)
    _chances: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from sklearn.datasets import load_digits

        random = np.random.default_rng(self.seed)
        digits = load_digits()
        pixels, labels = digits.images / 16.0, digits.target
        first = random.integers(len(pixels), size=self.n_blends)
        second = np.array([random.choice(np.flatnonzero(labels != labels[index])) for index in first], dtype=int)
        share = random.uniform(0.35, 0.65, self.n_blends)[:, None]
        blends = share[:, :, None] * pixels[first] + (1 - share[:, :, None]) * pixels[second]
        one_hot = np.eye(10)[labels]
        truth = np.concatenate([one_hot, share * one_hot[first] + (1 - share) * one_hot[second]])
        object.__setattr__(self, "_images", np.concatenate([pixels, blends]))
        object.__setattr__(self, "_chances", self.skill * truth + (1 - self.skill) / 10)

    def names(self) -> list[str]:
        n_clear = len(self._images) - self.n_blends
        return [f"{'digit' if row < n_clear else 'blend'}_{row:04d}" for row in range(len(self._images))]

    def votes(self) -> "pd.DataFrame":
        import pandas as pd

        random = np.random.default_rng(self.seed + 1)
        edges = self._chances.cumsum(1)[:, None]
        draws = random.random((len(edges), self.n_annotators, 1)) * edges[..., -1:]
        answers = (edges <= draws).sum(2)
        return pd.DataFrame(
            {
                "image": np.repeat(self.names(), self.n_annotators),
                "label": answers.ravel().astype(str),
                "annotator": np.tile([f"simulated_{number}" for number in range(self.n_annotators)], len(edges)),
            }
        )

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        image = Image.fromarray((self._images[int(name[-4:])] * 255).round().astype(np.uint8))
        return np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC).convert("RGB"))

    def content(self, name: str) -> bytes:
        return self.read(name).tobytes()
