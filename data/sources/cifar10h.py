"""CIFAR-10H: the CIFAR-10 test images with about 51 votes each (Peterson et al., ICCV 2019)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from data.images.deep import Reading
from data.sources.source import Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cifar10H(Source):
    """torchvision's CIFAR-10 test set in `root` and cifar10h-counts.npy (10000, 10) of the authors' repository."""

    root: Path
    counts_path: Path
    _images: np.ndarray = field(init=False, repr=False)
    _counts: np.ndarray = field(init=False, repr=False)
    _classes: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from torchvision.datasets import CIFAR10

        if not self.counts_path.is_file():
            raise InputError(
                f"No votes at {self.counts_path}: download cifar10h-counts.npy from github.com/jcpeterson/cifar-10h "
                "(data folder) and give its path as --votes."
            )
        counts = np.load(self.counts_path)
        if counts.shape != (10_000, 10):
            raise InputError(f"{self.counts_path} must hold (10000, 10) counts, it holds {counts.shape}.")
        try:
            test_set = CIFAR10(self.root, train=False, download=not (self.root / "cifar-10-batches-py").is_dir())
        except (RuntimeError, OSError) as error:
            raise InputError(
                f"CIFAR-10 is not in {self.root} and cannot be downloaded ({error});"
                " unpack cifar-10-python.tar.gz there."
            ) from error
        object.__setattr__(self, "_images", test_set.data)
        object.__setattr__(self, "_counts", counts.astype(np.int64))
        object.__setattr__(self, "_classes", tuple(test_set.classes))

    def names(self) -> list[str]:
        return [f"test_{index:05d}" for index in range(len(self._images))]

    def votes(self) -> "pd.DataFrame":
        import pandas as pd

        rows, columns = np.nonzero(self._counts)
        return pd.DataFrame(
            {
                "image": np.array(self.names())[rows],
                "label": np.array(self._classes)[columns],
                "votes": self._counts[rows, columns],
            }
        )

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        return self._images[int(name.removeprefix("test_"))]

    def content(self, name: str) -> bytes:
        return self.read(name).tobytes()

    def classes(self) -> tuple[str, ...]:
        return self._classes
