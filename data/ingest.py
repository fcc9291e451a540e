"""Ingest: each image of a source is decoded once into a memory-mapped array that is keyed by what went in."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError
from data.images.decoding import BadImage, resize
from data.images.deep import UNMEASURED, Reading, parse_reading
from data.sources.source import Measured, Source
from data.votes.counts import describe_ties
from data.votes.reader import count_votes

DIGEST_LENGTH = 20
"""Of 64 hexadecimal characters: two images among a million share 80 bits once in 10^12 data sets."""


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
    digests: tuple[str, ...] = ()
    """N, hexadecimal, of each image's bytes: they tell which image has changed."""
    reading: Reading = UNMEASURED
    """How the files became pictures: whoever shows the network another image reads it so."""
    notices: tuple[str, ...] = ()
    """What the user ought to know of these data, in words: files left out, names and labels that were united, the range
    of deep pictures, how many images are tied."""


RULES = 2
"""Of decoding; grows when equal files become other pixels, so that no older copy is taken for them."""


def ingest(
    source: Source, size: int, cache: Path, skip_bad_images: bool = False, reading: Reading | None = None
) -> Dataset:
    """Reads a whole source, or the copy that an earlier call left in `cache`.

    `reading` is that of a run's record; None measures the source anew.

    Raises:
        InputError: every unreadable image (unless skipped) and every fault of the votes, named.
    """
    names = source.names()
    table = source.votes()
    count_votes(table, names, source.classes())  # a faulty table costs no decoding
    digests = {name: hashlib.sha256(source.content(name)).hexdigest() for name in names}
    fingerprint = _fingerprint(source, digests, table, size)
    folder = _find_copy(cache, fingerprint, source.page, reading)
    if not (folder / "index.json").exists():
        _decode(source, names, size, folder, reading)
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
    images = np.load(folder / "images.npy", mmap_mode="r")
    return Dataset(
        images,
        tuple(kept),
        votes.counts,
        votes.classes,
        fingerprint,
        tuple(index["bad"]),
        tuple(digests[name][:DIGEST_LENGTH] for name in kept),
        parse_reading(index["reading"]) if "reading" in index else UNMEASURED,
        (*source.notices(), *index.get("notices", ()), *describe_ties(votes.counts)),
    )


def _find_copy(cache: Path, fingerprint: str, page: int, reading: Reading | None) -> Path:
    """Where the copy of these data, so read, is or will be.

    Runs from before ranges were measured find the copy that was made then, later ones the one that was measured.
    """
    if reading == UNMEASURED:
        return cache / fingerprint
    measured = cache / f"{fingerprint}-{_digest([RULES, page])}"
    if reading is None:
        return measured
    index = measured / "index.json"
    if index.exists() and parse_reading(json.loads(index.read_text())["reading"]) == reading:
        return measured
    return cache / f"{fingerprint}-{_digest([RULES, reading.to_json()])}"


def _digest(values: list[object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]


def digest_image(source: Source, name: str) -> str:
    """The digest of one image as `Dataset.digests` has it."""
    return hashlib.sha256(source.content(name)).hexdigest()[:DIGEST_LENGTH]


def find_decoded(cache: Path, fingerprint: str, reading: Reading) -> tuple[np.ndarray, tuple[str, ...]] | None:
    """Images (N, size, size, 3) and their names as an earlier `ingest` of data with this fingerprint left them."""
    folder = _find_copy(cache, fingerprint, reading.page, reading)
    if not (folder / "index.json").exists():
        return None
    images = np.load(folder / "images.npy", mmap_mode="r")
    return images, tuple(json.loads((folder / "index.json").read_text())["names"])


def _fingerprint(source: Source, digests: dict[str, str], table: pd.DataFrame, size: int) -> str:
    digest = hashlib.sha256(json.dumps([size, list(source.classes())]).encode())
    for name, content in digests.items():
        digest.update(name.encode() + b"\0" + bytes.fromhex(content))
    digest.update(table.sort_values(list(table.columns)).to_csv(index=False).encode())
    return digest.hexdigest()[:20]


def _decode(source: Source, names: list[str], size: int, folder: Path, reading: Reading | None) -> None:
    """Writes images.npy and index.json beside the cache, then moves them into it: never half a data set."""
    measured = source.measure() if reading is None else Measured(reading, ())
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    kept: list[str] = []
    bad: list[str] = []
    try:
        images = np.lib.format.open_memmap(work / "all.npy", "w+", np.uint8, (len(names), size, size, 3))
        for name in names:
            try:
                images[len(kept)] = resize(source.read(name, measured.reading), size)
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
        index = {"names": kept, "bad": bad, "notices": measured.notices, "reading": measured.reading.to_json()}
        (work / "index.json").write_text(json.dumps(index))
        try:
            work.replace(folder)
        except OSError:
            # another process decoded the same data meanwhile: the key says that both are equal
            if not (folder / "index.json").exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
