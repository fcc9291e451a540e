"""The options that all sources share; a source with options of its own adds them in a class of its own."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Self

from data.errors import InputError
from data.votes.options import VoteOptions


@dataclass(frozen=True)
class SourceOptions:
    """Which data to read.

    A source's own options are fields, with defaults, of a frozen dataclass below this one: flat, so that preset,
    command line and record name them as they name these. The source itself refuses values that it cannot use.
    """

    source: str = "digits"
    """digits (embedded), folder (your images and votes) or cifar10h (CIFAR-10 with its votes)."""
    images: str = ""
    """Folder or .zip of images; for cifar10h the folder of torchvision's CIFAR-10."""
    votes: str = ""
    """Votes in any form of docs/votes.md: a table with image and label, an export, folders called by class; for
    cifar10h the .npy counts."""
    reading: VoteOptions = field(default_factory=VoteOptions)
    classes: tuple[str, ...] = ()
    """Class names in order; empty for those in the votes, sorted."""
    size: int = 32
    """Images are resized to size x size pixels."""
    page: int = 0
    """Page of each TIFF stack to take, from 1; 0 refuses stacks. The exported model takes the same page."""
    skip_bad_images: bool = False
    """Go on without images that cannot be read, and list them."""

    def resolve(self) -> Self:
        """The same with absolute paths, as a run must repeat from any folder; with own paths, override it."""
        images, votes = (path and str(Path(path).expanduser().resolve()) for path in (self.images, self.votes))
        return replace(self, images=images, votes=votes)

    def paths(self) -> tuple[Path, Path]:
        """Of images and votes; raises InputError where one is not given."""
        absent = [flag for flag, value in (("--images", self.images), ("--votes", self.votes)) if not value]
        if absent:
            raise InputError(f"The source {self.source} needs {' and '.join(absent)}.")
        return Path(self.images).expanduser(), Path(self.votes).expanduser()


def shared_by_all(options: SourceOptions) -> dict[str, object]:
    """Values of the options that every source has, by name."""
    return {field.name: getattr(options, field.name) for field in fields(SourceOptions)}
