"""The record of a run's data: what it was trained on, whatever the lab's files have become since."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError
from data.images.deep import UNMEASURED, Reading, parse_reading
from data.ingest import Dataset
from training.batches.split import PARTS, Split


class DataRecord(NamedTuple):
    """The data of one run, without the pixels."""

    names: tuple[str, ...]
    """N images, in the order of the training."""
    parts: np.ndarray
    """(N,) labelled, unlabelled, validation, test or waiting."""
    classes: tuple[str, ...]
    """k names in the order of the network's outputs; none where a run of an older version never finished."""
    counts: np.ndarray
    """(N, k) votes; (N, 0) where the classes are not known."""
    digests: tuple[str, ...]
    """N, as in `Dataset`; none in runs of older versions."""
    fingerprint: str
    reading: Reading = UNMEASURED
    """How the files became pictures."""

    @property
    def split(self) -> Split:
        """The recorded split as row numbers."""
        return Split(*(np.flatnonzero(self.parts == part) for part in PARTS))

    @property
    def validation_id(self) -> str:
        """The same for runs that are measured on the same images; others' figures do not compare."""
        names = sorted(np.array(self.names, dtype=object)[self.parts == "validation"].tolist())
        return hashlib.blake2b(json.dumps(names).encode(), digest_size=8).hexdigest()


def record_data(dataset: Dataset, split: Split) -> DataRecord:
    """What is to be kept of the data at hand."""
    parts = split.part_names(len(dataset.names))
    return DataRecord(
        dataset.names, parts, dataset.classes, dataset.counts, dataset.digests, dataset.fingerprint, dataset.reading
    )


def write_record(record: DataRecord, path: Path) -> None:
    """Writes one row an image: image, part, digest, votes."""
    votes = pa.FixedSizeListArray.from_arrays(pa.array(record.counts.ravel(), pa.int64()), len(record.classes))
    columns = {"image": pa.array(record.names), "part": pa.array(record.parts)}
    columns |= {"digest": pa.array(record.digests)} if record.digests else {}
    facts = {"classes": record.classes, "fingerprint": record.fingerprint, "reading": record.reading.to_json()}
    table = pa.table(columns | {"votes": votes}).replace_schema_metadata({"dc3": json.dumps(facts)})
    pq.write_table(table, path)


def read_record(path: Path) -> DataRecord:
    """Reads what `write_record` wrote; raises InputError for a file that is another one or damaged."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        facts = json.loads(table.schema.metadata[b"dc3"])
        classes = tuple(map(str, facts["classes"]))
        votes = table["votes"].combine_chunks().flatten().cast(pa.int64()).to_numpy()
        return DataRecord(
            tuple(table["image"].to_pylist()),
            np.array(table["part"].to_pylist(), dtype=str),
            classes,
            votes.reshape(len(table), len(classes)),
            tuple(table["digest"].to_pylist()) if "digest" in table.column_names else (),
            str(facts["fingerprint"]),
            parse_reading(facts["reading"]) if "reading" in facts else UNMEASURED,
        )
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not what a run wrote as the record of its data ({error}); fetch it anew."
        ) from error


def write_split(record: DataRecord) -> str:
    """The split as CSV for people and spreadsheets; the program itself reads the record."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("image", "part"))
    writer.writerows(zip(record.names, record.parts.tolist(), strict=True))
    return text.getvalue()


def read_old_split(text: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and parts (N,) out of the split.csv of a run without record, whose names stand in quotes as they are."""
    rows = [line[1:].rsplit('",', 1) for line in text.splitlines()[1:]]
    return tuple(name for name, _ in rows), np.array([part for _, part in rows], dtype=str)


def align(dataset: Dataset, record: DataRecord) -> Dataset:
    """The same data in the record's order of images and classes, under the record's fingerprint."""
    if dataset.names != record.names:
        places = {name: place for place, name in enumerate(dataset.names)}
        rows = [places[name] for name in record.names]
        digests = tuple(dataset.digests[row] for row in rows) if dataset.digests else ()
        dataset = dataset._replace(
            images=dataset.images[rows], names=record.names, counts=dataset.counts[rows], digests=digests
        )
    if record.classes and dataset.classes != record.classes:
        columns = [dataset.classes.index(name) for name in record.classes]
        dataset = dataset._replace(counts=dataset.counts[:, columns], classes=record.classes)
    return dataset._replace(fingerprint=record.fingerprint)
