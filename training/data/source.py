"""The contract of a data source: images by name, and the votes on them."""

from abc import ABC, abstractmethod

import numpy as np
import pandas as pd


class Source(ABC):
    """Where images and votes come from; one file each in `sources/`, one line each in SOURCES."""

    @abstractmethod
    def names(self) -> list[str]:
        """N different image names, in a fixed order.

        Raises InputError when two images share a name or there are none.
        """

    @abstractmethod
    def votes(self) -> pd.DataFrame:
        """The long vote table, columns as in `training.data.votes.read_votes`, images named as in `names`."""

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """One image upright as (H, W, 3) uint8 of its own size; raises serving.images.BadImage when unreadable."""

    @abstractmethod
    def content(self, name: str) -> bytes:
        """The bytes that identify the image: a change of them is another data set."""

    def notices(self) -> tuple[str, ...]:
        """What the user ought to know of the votes and images, in words: what was united, matched or left out."""
        return ()

    def classes(self) -> tuple[str, ...]:
        """The class names in order, or empty for those that the votes name, sorted."""
        return ()
