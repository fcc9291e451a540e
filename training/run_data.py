"""The data of a run: read anew for a new one, and for one of before only where they are still those of its record."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.images.decoding import BadImage, resize
from data.images.deep import Reading
from data.ingest import Dataset, digest_image, find_decoded, ingest
from data.sources import SOURCES
from data.sources.source import Source
from data.votes.options import VoteOptions
from training import track
from training.batches.data_changes import find_changes
from training.batches.data_record import DataRecord, align
from training.batches.divide import divide, note_use
from training.batches.split import Split
from training.config import Config

CACHE = "data"
"""Folder of the store with the images that were decoded once."""


def read_data(config: Config) -> tuple[Dataset, Split]:
    """Reads the configured source and splits it as configured, by the seed."""
    return divide(_read_dataset(config), config.split, config.data.votes, config.runtime.seed)


def recall_data(run_id: str, config: Config) -> tuple[Dataset, Split]:
    """The data and the split of an earlier run, read from where `config` says.

    Raises InputError that lists what has changed since.
    """
    record = track.load_data_record(run_id)
    dataset = _read_dataset(config, record.reading)
    changes = find_changes(record, dataset)
    if changes:
        raise InputError(
            f"The data are no longer those of run {run_id}:\n- "
            + "\n- ".join(changes)
            + "\nBring the former data back, or name where they lie by --images and --votes; on the data as they are"
            " now, train anew without --resume and --repeat."
        )
    return note_use(align(dataset, record), record.split, config.split), record.split


class FoundImages(NamedTuple):
    """Images of a run that are still what they were."""

    pixels: dict[str, np.ndarray]
    """(size, size, 3) uint8 by name."""
    lacking: str
    """Which of those asked for are not there, and why; empty where all are."""


def find_images(record: DataRecord, config: Config, names: Sequence[str]) -> FoundImages:
    """Those of the named images of a run that can be had as the run saw them, whatever its vote table is today."""
    decoded = find_decoded(track.store() / CACHE, record.fingerprint, record.reading)
    if decoded:
        places = {name: place for place, name in enumerate(decoded[1])}
        return FoundImages({name: decoded[0][places[name]] for name in names}, "")
    try:
        with open_source(record, config) as source:
            if not record.digests and _read_dataset(config).fingerprint != record.fingerprint:
                raise InputError("the data have changed, and a run of an older version does not tell which image")
            other = find_other_images(record, source, names)
            pixels = {
                name: resize(source.read(name, record.reading), config.data.size) for name in names if name not in other
            }
    except (InputError, BadImage, OSError) as error:
        return FoundImages({}, f"the run's images cannot be had ({error})")
    some = name_some(sorted(other), 5)
    return FoundImages(pixels, f"{len(other)} of {len(names)} images are gone or changed: {some}" if other else "")


def find_doubt(record: DataRecord, config: Config) -> str:
    """Why nobody can tell whether the images are still those that a run saw; empty where its record tells."""
    if record.digests:
        return ""
    try:
        if _read_dataset(config, record.reading).fingerprint == record.fingerprint:
            return ""
    except InputError:
        pass  # of a vote table that was edited, which this is not about
    return (
        "images or votes are others than when this run was trained, and a run of an older version does not tell"
        " which: make sure that the images are still the same"
    )


@contextmanager
def open_source(record: DataRecord, config: Config) -> Iterator[Source]:
    """The images where they lie today, under the names and with the votes of the record: today's table is not read."""
    with tempfile.TemporaryDirectory() as folder:
        options = config.data
        if options.source == "folder":  # of the others the votes belong to the images
            rows, columns = np.nonzero(record.counts)
            table = pd.DataFrame(
                {
                    "image": np.array(record.names, dtype=object)[rows],
                    "label": np.array(record.classes, dtype=object)[columns],
                    "votes": record.counts[rows, columns],
                }
            )
            path = Path(folder) / "votes.parquet"
            table.to_parquet(path)
            options = replace(options, votes=str(path), classes=record.classes, reading=VoteOptions())
        yield SOURCES[options.source](options)


def find_other_images(record: DataRecord, source: Source, names: Sequence[str]) -> set[str]:
    """Those of the named images that are gone from the source or have other content than in the record."""
    listed = set(source.names())
    digests = dict(zip(record.names, record.digests, strict=True)) if record.digests else {}
    return {
        name
        for name in names
        if name not in listed or (name in digests and digest_image(source, name) != digests[name])
    }


def _read_dataset(config: Config, reading: Reading | None = None) -> Dataset:
    source = SOURCES[config.data.source](config.data)
    return ingest(source, config.data.size, track.store() / CACHE, config.data.skip_bad_images, reading)
