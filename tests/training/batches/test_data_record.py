"""The record of a run's data is read as it was written, and tells what has changed since."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.ingest import Dataset
from training.batches.data_changes import find_changes
from training.batches.data_record import (
    DataRecord,
    align,
    read_old_split,
    read_record,
    record_data,
    write_record,
    write_split,
)
from training.batches.split import Split

NAMES = ("a.png", 'the "b", or\nc.png', "ä/d.png", "e.png")
CLASSES = ("cat", "dog", "owl")
COUNTS = np.array([[3, 0, 0], [2, 1, 0], [0, 3, 0], [0, 0, 2]])


def make_dataset(**changes: object) -> Dataset:
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return Dataset(images, NAMES, COUNTS, CLASSES, "f00d", (), ("1", "2", "3", "4"))._replace(**changes)


@pytest.fixture
def record() -> DataRecord:
    return record_data(make_dataset(), Split(*(np.array([row]) for row in (0, 2, 1, 3))))


def test_what_is_written_is_read(record: DataRecord, tmp_path: Path) -> None:
    write_record(record, tmp_path / "data.parquet")
    read = read_record(tmp_path / "data.parquet")
    for name, value in record._asdict().items():
        assert np.array_equal(value, getattr(read, name)), name
    assert [rows.tolist() for rows in read.split] == [[0], [2], [1], [3], []]
    (tmp_path / "data.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is not what a run wrote as the record of its data"):
        read_record(tmp_path / "data.parquet")


def test_split_table_keeps_names_with_quotes_commas_and_lines(record: DataRecord) -> None:
    rows = list(csv.reader(io.StringIO(write_split(record))))
    assert rows == [["image", "part"], *([name, part] for name, part in zip(NAMES, record.parts, strict=True))]


def test_the_split_of_an_older_run_is_read_as_it_was_written() -> None:
    names, parts = read_old_split('image,part\n"a "b", c.png",labelled\n"d.png",test\n')
    assert names == ('a "b", c.png', "d.png")
    assert parts.tolist() == ["labelled", "test"]


def test_equal_data_in_another_order_are_the_same_data(record: DataRecord) -> None:
    rows, columns = [2, 0, 3, 1], [1, 2, 0]
    data = make_dataset()
    other = data._replace(
        images=data.images[rows],
        names=tuple(NAMES[row] for row in rows),
        counts=COUNTS[rows][:, columns],
        classes=tuple(CLASSES[column] for column in columns),
        digests=tuple(data.digests[row] for row in rows),
        fingerprint="other annotators' names",
    )
    assert find_changes(record, other) == []
    aligned = align(other, record)
    for name, value in data._asdict().items():
        assert np.array_equal(value, getattr(aligned, name)), name


def test_each_kind_of_change_is_told_with_its_items(record: DataRecord) -> None:
    renamed = make_dataset(classes=("ape", "cat", "dog"), counts=COUNTS[:, [2, 0, 1]])
    assert find_changes(record, renamed) == ["class owl is now called ape (with the same votes)"]
    votes = COUNTS.copy()
    votes[0] = 2, 1, 0
    assert find_changes(record, make_dataset(counts=votes)) == [
        "other votes on 1 image(s): a.png (cat 3 -> cat 2 dog 1)"
    ]
    wider = make_dataset(classes=(*CLASSES, "yak"), counts=np.c_[COUNTS, [0, 0, 0, 1]])
    assert find_changes(record, wider) == [
        "class(es) added: yak",
        "other votes on 1 image(s): e.png (owl 2 -> owl 2 yak 1)",
    ]
    fewer = make_dataset(classes=CLASSES[:2], counts=COUNTS[:, :2])
    assert find_changes(record, fewer) == ["class(es) gone: owl", "other votes on 1 image(s): e.png (owl 2 -> none)"]
    assert find_changes(record, make_dataset(names=(*NAMES[:3], "z.png"))) == [
        "1 image(s) gone: e.png",
        "1 image(s) added: z.png",
    ]
    assert find_changes(record, make_dataset(digests=("1", "2", "other", "4"))) == [
        "1 image(s) with other content: ä/d.png"
    ]


def test_a_record_without_digests_goes_by_the_fingerprint(record: DataRecord) -> None:
    old = record._replace(digests=())
    assert find_changes(old, make_dataset()) == []
    (change,) = find_changes(old, make_dataset(fingerprint="beef"))
    assert change.startswith("the fingerprint is beef, not f00d")
    unfinished = old._replace(classes=(), counts=np.zeros((4, 0), int))
    assert find_changes(unfinished, make_dataset()) == []
    assert len(find_changes(unfinished, make_dataset(fingerprint="beef"))) == 1
