"""Ingest: each image of a source is decoded once into a memory-mapped array that is keyed by what went in."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from serving.images import BadImage, resize
from training.data.source import Source
from training.data.votes import count_votes, describe_ties
from training.errors import InputError


class Dataset(NamedTuple):
    """Images and votes of one source at one size."""

    images: np.ndarray
    """(N, size, size, 3) uint8, memory-mapped."""
    names: tuple[str, ...]
    counts: np.ndarray
    """(N, k) int64 votes."""
    classes: tuple[str, ...]
    fingerprint: str
    """Hexadecimal digest of names, image bytes, votes, classes and size."""
    left_out: tuple[str, ...]
    """One line for each image that could not be read, when these are skipped."""
    notices: tuple[str, ...] = ()
    """What the user ought to know of these data, in words: the source's notices, and how many images are tied."""


def ingest(source: Source, size: int, cache: Path, skip_bad_images: bool = False) -> Dataset:
    """Reads a whole source, or the copy that an earlier call left in `cache`.

    Raises:
        InputError: every unreadable image (unless skipped) and every fault of the votes, named.
    """
    names = source.names()
    table = source.votes()
    count_votes(table, names, source.classes())  # a faulty table costs no decoding
    fingerprint = _fingerprint(source, names, table, size)
    folder = cache / fingerprint
    if not (folder / "index.json").exists():
        _decode(source, names, size, folder)
    index = json.loads((folder / "index.json").read_text())
    if index["bad"] and not skip_bad_images:
        raise InputError(
            f"{len(index['bad'])} image(s) cannot be read:\n- "
            + "\n- ".join(index["bad"][:20])
            + ("\n- ..." if len(index["bad"]) > 20 else "")
            + "\nMend or remove them, or go on without them by --skip-bad-images."
        )
    kept = index["names"]
    if not kept:
        raise InputError(f"None of the {len(names)} images can be read.")
    votes = count_votes(table[table["image"].isin(kept)], kept, source.classes())
    notices = (*source.notices(), *describe_ties(votes.counts))
    images = np.load(folder / "images.npy", mmap_mode="r")
    return Dataset(images, tuple(kept), votes.counts, votes.classes, fingerprint, tuple(index["bad"]), notices)


def _fingerprint(source: Source, names: list[str], table: pd.DataFrame, size: int) -> str:
    digest = hashlib.sha256(json.dumps([size, list(source.classes())]).encode())
    for name in names:
        digest.update(name.encode() + b"\0" + hashlib.sha256(source.content(name)).digest())
    digest.update(table.sort_values(list(table.columns)).to_csv(index=False).encode())
    return digest.hexdigest()[:20]


def _decode(source: Source, names: list[str], size: int, folder: Path) -> None:
    """Writes images.npy and index.json beside the cache, then moves them into it: never half a data set."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    kept: list[str] = []
    bad: list[str] = []
    try:
        images = np.lib.format.open_memmap(work / "all.npy", "w+", np.uint8, (len(names), size, size, 3))
        for name in names:
            try:
                images[len(kept)] = resize(source.read(name), size)
            except BadImage as error:
                bad.append(str(error))
            else:
                kept.append(name)
        if bad:
            np.save(work / "images.npy", images[: len(kept)])
            (work / "all.npy").unlink()
        else:
            images.flush()
            (work / "all.npy").replace(work / "images.npy")
        (work / "index.json").write_text(json.dumps({"names": kept, "bad": bad}))
        try:
            work.replace(folder)
        except OSError:
            # another process decoded the same data meanwhile: the key says that both are equal
            if not (folder / "index.json").exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
