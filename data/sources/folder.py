"""A lab's own data: a folder or .zip of images in any readable format, and a vote table."""

import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError, name_some
from data.images.decoding import BadImage, decode, may_be_deep, measure
from data.images.deep import DARK, Reading, join_spreads
from data.images.listing import Listing, list_images, read_start
from data.sources.source import Measured, Source
from data.votes.options import VoteOptions

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What a disk, or a member of an archive that is damaged, encrypted or packed in a rare way, answers."""


@dataclass(frozen=True)
class Folder(Source):
    """Images below a folder or in a zip file, named by their path in it, or by file name where the votes do so."""

    images: Path
    votes_path: Path
    class_names: tuple[str, ...] = ()
    page: int = 0
    """Of TIFF stacks, from 1; 0 takes none."""
    reading: VoteOptions = field(default_factory=VoteOptions)
    """How the votes are read, and which count."""
    _listing: Listing = field(init=False, repr=False)
    _listed: dict[str, str] = field(init=False, repr=False)
    _table: "pd.DataFrame" = field(init=False, repr=False)
    _classes: tuple[str, ...] = field(init=False, repr=False)
    _notices: tuple[str, ...] = field(init=False, repr=False)
    _archive: zipfile.ZipFile | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from data.tables.columns import COLUMNS
        from data.votes.reader import fit_votes, join_votes

        if not self.images.exists():
            raise InputError(f"No images at {self.images}: expected a folder or a .zip file.")
        table = join_votes((self.votes_path,), self.class_names, self.reading, numbered=True)
        archive = None if self.images.is_dir() else _open_zip(self.images)
        object.__setattr__(self, "_archive", archive)
        listing = list_images(self.images, archive)
        listed = _name_images(list(listing.images), set(table.rows["image"]), self.images)
        fitted = fit_votes(table, list(listed), self.class_names)
        _refuse_left_out(set(fitted.rows["image"]) - set(listed), listing, self.images)
        object.__setattr__(self, "_listing", listing)
        object.__setattr__(self, "_listed", listed)
        object.__setattr__(self, "_table", fitted.rows[[name for name in COLUMNS if name in fitted.rows]])
        object.__setattr__(self, "_classes", _settle_classes(self.class_names, set(fitted.rows["label"]), self.reading))
        object.__setattr__(self, "_notices", (*listing.notices, *fitted.notices))

    def names(self) -> list[str]:
        return list(self._listed)

    def votes(self) -> "pd.DataFrame":
        return self._table

    def notices(self) -> tuple[str, ...]:
        return self._notices

    def read(self, name: str, reading: Reading | None = None) -> np.ndarray:
        return decode(self.content(name), name, reading=reading or Reading(page=self.page))

    def measure(self) -> Measured:
        spreads: dict[str, list[tuple[float, float]]] = {}
        for name, path in self._listed.items():
            if not may_be_deep(read_start(self._listing.images[path], self._archive)):
                continue
            try:
                found = measure(self.content(name), name, self.page)
            except BadImage:
                continue  # decoding names it
            if found:
                spreads.setdefault(found[0], []).append(found[1:])
        ranges = {kind: join_spreads(np.array(pairs)) for kind, pairs in sorted(spreads.items())}
        notices = [_describe(kind, np.array(spreads[kind]), *ranges[kind]) for kind in ranges]
        return Measured(Reading(ranges, self.page), tuple(notices))

    def content(self, name: str) -> bytes:
        place = self._listing.images[self._listed[name]]
        try:
            if isinstance(place, Path):
                return place.read_bytes()
            assert self._archive is not None
            return self._archive.read(place)
        except _UNREADABLE as error:
            raise InputError(
                f"Image {name} cannot be read from {self.images} ({error}): mend it, or remove it and its votes."
            ) from error

    def classes(self) -> tuple[str, ...]:
        return self._classes


def _settle_classes(classes: tuple[str, ...], left: set[str], reading: VoteOptions) -> tuple[str, ...]:
    """The named classes after rare ones were merged or dropped; those that are gone for that reason leave the list."""
    from data.votes.rare import RARE

    if not classes or not (reading.merge_rare or reading.drop_rare):
        return classes
    kept = tuple(name for name in classes if name in left)
    return (*kept, RARE) if RARE in left and RARE not in kept else kept


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is neither a folder nor a readable zip file ({error}).") from error


def _describe(kind: str, spreads: np.ndarray, low: float, high: float) -> str:
    """How `kind` is read, and how many of its images, spreads (N, 2), are almost black so."""
    text = f"{len(spreads)} image(s) have {kind} values: {low:g} becomes black and {high:g} white, in all of them alike"
    dark = int((spreads[:, 1] - low < (high - low) / DARK).sum())
    if not dark:
        return text
    return (
        f"{text}; {dark} of them stay below 1/{DARK} of this range and are almost black: if another camera took them,"
        " bring the images of all cameras to one range"
    )


def _refuse_left_out(unknown: set[str], listing: Listing, images: Path) -> None:
    """Raises InputError where votes name a file that is there, but is not listed as an image."""
    short = {PurePosixPath(path).name: reason for path, reason in listing.left.items()}
    found = {name: listing.left.get(name) or short.get(name) for name in sorted(unknown)}
    shown = [f"{name} ({reason})" for name, reason in found.items() if reason]
    if shown:
        raise InputError(
            f"{len(shown)} image(s) with votes are in {images}, but are left out of its images: {name_some(shown, 5)}."
            " Rename them or save them in a format that is read, name the image itself where this is a copy of it, or"
            " remove their votes."
        )


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
