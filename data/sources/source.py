"""The contract of a data source: images by name, and the votes on them."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data.images.deep import Reading

if TYPE_CHECKING:
    import pandas as pd


class Measured(NamedTuple):
    """How the images of a source become 8-bit pictures."""

    reading: Reading
    notices: tuple[str, ...]
    """What of it a person should know, one line each."""


class Source(ABC):
    """Where images and votes come from; one file each in `sources/`, one line each in SOURCES."""

    page: int = 0
    """Page of TIFF stacks, from 1; 0 takes none."""

    @abstractmethod
    def names(self) -> list[str]:
        """N different image names, in a fixed order.

        Raises InputError when two images share a name or there are none.
        """

    @abstractmethod
    def votes(self) -> "pd.DataFrame":
        """The long vote table, columns as in `data.votes.reader.read_votes`, images named as in `names`."""

    @abstractmethod
    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        """One image upright as (H, W, 3) uint8 of its own size; raises data.images.decoding.BadImage when unreadable.

        `reading` says what becomes of pictures of more than 8 bits and of stacks of pages; a source without such
        has no use for it.
        """

    @abstractmethod
    def content(self, name: str) -> bytes:
        """The bytes that identify the image: a change of them is another data set."""

    def notices(self) -> tuple[str, ...]:
        """What the user ought to know of votes and images, one line each: what was united, matched or left out."""
        return ()

    def classes(self) -> tuple[str, ...]:
        """The class names in order, or empty for those that the votes name, sorted."""
        return ()

    def measure(self) -> Measured:
        """Looks at all images for what `read` needs to know of the whole data set; nothing where all have 8 bits."""
        return Measured(Reading({}), ())
