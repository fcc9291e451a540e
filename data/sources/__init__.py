"""The kinds of data source; a new one is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import InputError
from data.sources.cifar10h import Cifar10H
from data.sources.digits import Digits
from data.sources.folder import Folder
from data.sources.source import Source
from data.votes.options import VoteOptions


@dataclass(frozen=True)
class SourceOptions:
    """Which data to read."""

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


def _paths(options: SourceOptions) -> tuple[Path, Path]:
    absent = [flag for flag, value in (("--images", options.images), ("--votes", options.votes)) if not value]
    if absent:
        raise InputError(f"The source {options.source} needs {' and '.join(absent)}.")
    return Path(options.images).expanduser(), Path(options.votes).expanduser()


SOURCES: dict[str, Callable[[SourceOptions], Source]] = {
    "digits": lambda options: Digits(),
    "folder": lambda options: Folder(*_paths(options), options.classes, options.page, options.reading),
    "cifar10h": lambda options: Cifar10H(*_paths(options)),
}
