"""A lab's own data: a folder or .zip of images in any readable format, and a vote table."""

import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from serving.images import decode
from training.data.columns import COLUMNS
from training.data.source import Source
from training.data.votes import fit_votes, read_votes
from training.errors import InputError, name_some

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp"})
_UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What a disk, or a member of an archive that is damaged, encrypted or packed in a rare way, answers."""


@dataclass(frozen=True)
class Folder(Source):
    """Images below a folder or in a zip file, named by their path in it, or by file name where the votes do so."""

    images: Path
    votes_path: Path
    class_names: tuple[str, ...] = ()
    _listed: dict[str, str] = field(init=False, repr=False)
    _table: pd.DataFrame = field(init=False, repr=False)
    _notices: tuple[str, ...] = field(init=False, repr=False)
    _archive: zipfile.ZipFile | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.images.exists():
            raise InputError(f"No images at {self.images}: expected a folder or a .zip file.")
        table = read_votes(self.votes_path, self.class_names)
        archive = None if self.images.is_dir() else _open_zip(self.images)
        object.__setattr__(self, "_archive", archive)
        listed = _name_images(_list_files(self.images, archive), set(table.rows["image"]), self.images)
        fitted = fit_votes(table, list(listed), self.class_names)
        object.__setattr__(self, "_listed", listed)
        object.__setattr__(self, "_table", fitted.rows[[name for name in COLUMNS if name in fitted.rows]])
        object.__setattr__(self, "_notices", fitted.notices)

    def names(self) -> list[str]:
        return list(self._listed)

    def votes(self) -> pd.DataFrame:
        return self._table

    def read(self, name: str) -> np.ndarray:
        return decode(self.content(name), name)

    def content(self, name: str) -> bytes:
        path = self._listed[name]
        try:
            return (self.images / path).read_bytes() if self._archive is None else self._archive.read(path)
        except _UNREADABLE as error:
            raise InputError(
                f"Image {name} cannot be read from {self.images} ({error}): mend it, or remove it and its votes."
            ) from error

    def notices(self) -> tuple[str, ...]:
        return self._notices

    def classes(self) -> tuple[str, ...]:
        return self.class_names


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is neither a folder nor a readable zip file ({error}).") from error


def _list_files(images: Path, archive: zipfile.ZipFile | None) -> list[str]:
    """Paths of the image files, relative to the folder or inside the zip, sorted."""
    if archive is None:
        found = [path.relative_to(images).as_posix() for path in images.rglob("*") if path.is_file()]
    else:
        found = [info.filename for info in archive.infolist() if not info.is_dir()]
    paths = sorted(
        path
        for path in found
        if PurePosixPath(path).suffix.lower() in SUFFIXES and not path.startswith(("__MACOSX/", "."))
    )
    if not paths:
        raise InputError(f"No image in {images}: none of its {len(found)} files ends in {name_some(sorted(SUFFIXES))}.")
    if strange := [path for path in paths if not _is_text(path)]:
        shown = name_some([repr(path) for path in strange])
        raise InputError(f"{len(strange)} file name(s) in {images} are not in UTF-8: {shown}. Rename them.")
    return paths


def _is_text(path: str) -> bool:
    """Whether a name can be written; bytes of a file system that are no UTF-8 come as half surrogate pairs."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _name_images(paths: list[str], given: set[str], images: Path) -> dict[str, str]:
    """Image name -> path: named by path, or by file name where the votes do so and no two images share one."""
    short = Counter(PurePosixPath(path).name for path in paths)
    n_paths, n_short = len(given.intersection(paths)), len(given.intersection(short))
    twice = sorted(name for name, times in short.items() if times > 1)
    if given.issubset(paths) or 0 < n_short <= n_paths or (twice and not n_short):
        return {path: path for path in paths}
    if doubtful := sorted(given.intersection(twice)):
        raise InputError(
            f"Two images in {images} share a name: {name_some(doubtful)}. Rename them, or write the path below "
            f"{images} in the column image of the votes."
        )
    if twice:
        return {path: path for path in paths}
    return {PurePosixPath(path).name: path for path in paths}
