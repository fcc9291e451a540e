"""Images as somebody names them on the command line: folders, .zip files, single files and patterns."""

import glob
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from data.errors import InputError
from data.images.listing import list_images


class NamedImages(NamedTuple):
    """What was found, in order, each once."""

    images: dict[str, Callable[[], bytes]]
    """Name -> its bytes when they are asked for, which raises OSError."""
    notices: tuple[str, ...]
    """What a folder or archive holds beside images, as when a run reads it."""


def find_named(places: Sequence[str]) -> NamedImages:
    """The images that the places mean.

    Images of one folder or archive are named by their path in it, as in training; where several places are given, by
    the place and that path. A file is taken as it is, whatever its name. A pattern (`*.png`, `**/x?.tif`) that the
    shell has left as it is is filled in here.

    Raises InputError for a place where nothing is.
    """
    images: dict[str, Callable[[], bytes]] = {}
    notices: tuple[str, ...] = ()
    found = [path for place in places for path in _expand(place)]
    for path in found:
        prefix = f"{path}/" if len(found) > 1 else ""
        if path.is_dir():
            listing = list_images(path, None)
            assert all(isinstance(image, Path) for image in listing.images.values())
            images |= {f"{prefix}{name}": image.read_bytes for name, image in listing.images.items()}  # type: ignore[union-attr]
            notices += listing.notices
        elif zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            listing = list_images(path, archive)
            images |= {f"{prefix}{name}": partial(_read_member, archive, info) for name, info in listing.images.items()}
            notices += listing.notices
        else:
            images[str(path)] = path.read_bytes
    return NamedImages(images, notices)


def _expand(place: str) -> list[Path]:
    if Path(place).exists():
        return [Path(place)]
    found = sorted(glob.glob(place, recursive=True))  # noqa: PTH207  # a pattern may be absolute
    if not found:
        raise InputError(f"No images at {place}: name a folder, a .zip file, image files, or a pattern that fits some.")
    return [Path(path) for path in found]


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo | Path) -> bytes:
    assert isinstance(info, zipfile.ZipInfo)
    try:
        return archive.read(info)
    except (EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise OSError(f"it cannot be unpacked: {error}") from error
