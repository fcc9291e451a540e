"""The Parquet file carries everything after training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import InputError
from data.predictions import read_predictions, write_predictions
from tests.training.evaluate.test_metrics import make_predictions


def test_what_is_written_is_read(tmp_path: Path) -> None:
    predictions = make_predictions([0.1, 0.9, 0.4, 0.6])._replace(seed=7)
    write_predictions(predictions, tmp_path / "p.parquet")
    read = read_predictions(tmp_path / "p.parquet")
    for name, value in predictions._asdict().items():
        assert np.array_equal(value, getattr(read, name)), name


def test_files_of_earlier_runs_without_a_seed_are_read(tmp_path: Path) -> None:
    write_predictions(make_predictions([0.1, 0.9]), tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet").replace_schema_metadata({"dc3": '{"classes": ["a", "b", "c"]}'})
    pq.write_table(table, tmp_path / "p.parquet")
    assert read_predictions(tmp_path / "p.parquet").seed == 0


def test_labels_of_a_selection_are_those_of_the_whole() -> None:
    tied = make_predictions([0.1] * 200)._replace(votes=np.ones((200, 3), int), seed=3)
    rows = np.arange(0, 200, 7)
    assert tied.select(rows).labels.tolist() == tied.labels[rows].tolist()
    assert set(tied.labels.tolist()) == {0, 1, 2}
    assert tied.labels.tolist() != tied._replace(seed=4).labels.tolist()


def with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values)).replace_schema_metadata(table.schema.metadata)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.drop(["ambiguity"]), "column ambiguity: "),
        (lambda table: with_column(table, "part", ["test", None]), "column part: empty or infinite"),
        (lambda table: with_column(table, "ambiguity", [0.1, float("nan")]), "column ambiguity: empty or infinite"),
        (lambda table: with_column(table, "ambiguity", ["low", "high"]), "column ambiguity: "),
        (lambda table: with_column(table, "votes", [1, 2]), "column votes: "),
        (lambda table: with_column(table, "votes", [[1, 2], [3, 4]]), "column votes: 2 values a row for 3 classes"),
        (lambda table: with_column(table, "votes", [[1, 2, 0.5], [3, 4, 1]]), "column votes: "),
        (lambda table: with_column(table, "embedding", [[1.0], [1.0, 2.0]]), "column embedding: its lists must all"),
        (lambda table: with_column(table, "embedding", [[], []]), "column embedding: its lists must all"),
        (lambda table: with_column(table, "embedding", [None, [1.0]]), "column embedding: its lists must all"),
        (lambda table: with_column(table, "image", ["i0", "i0"]), "column image: a name stands there twice"),
        (lambda table: table.slice(0, 0), "column image: no rows"),
        (lambda table: table.replace_schema_metadata(None), "metadata dc3: no list of the classes' names"),
        (lambda table: table.replace_schema_metadata({"dc3": '{"classes": "abc"}'}), "metadata dc3"),
        (lambda table: table.replace_schema_metadata({"dc3": "[" * 100_000}), "metadata dc3"),
    ],
)
def test_another_table_is_refused_with_its_faults(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], fault: str
) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(make_predictions([0.1, 0.9]), path)
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(InputError, match="is not what a run wrote") as refused:
        read_predictions(path)
    assert f"\n- {fault}" in str(refused.value)


def test_a_file_that_is_cut_short_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(make_predictions([0.1, 0.9]), path)
    whole = path.read_bytes()
    for part in (whole[:-10], whole[:100], b""):
        path.write_bytes(part)
        with pytest.raises(InputError, match="cannot be read as predictions"):
            read_predictions(path)
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="cannot be read as predictions"):
            read_predictions(place)


def test_file_names_class_and_cluster_for_other_tools(tmp_path: Path) -> None:
    predictions = make_predictions([0.1, 0.9])
    write_predictions(predictions, tmp_path / "p.parquet")
    table = pq.read_table(tmp_path / "p.parquet").to_pydict()
    assert table["class"] == [("a", "b", "c")[index] for index in predictions.classes.argmax(1)]
    assert table["cluster"] == predictions.clusters.argmax(1).tolist()


def test_part_holds_voted_images_only() -> None:
    predictions = make_predictions([0.1, 0.9, 0.4])
    votes = predictions.votes.copy()
    votes[1] = 0
    parts = np.array(["validation", "validation", "test"])
    found = predictions._replace(votes=votes, parts=parts).part("validation")
    assert found.images.tolist() == ["i0"]
