"""Predictions: one Parquet file with all that comes after training; no torch in here."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.certain import is_certain
from data.errors import InputError
from data.votes.counts import majority


class Predictions(NamedTuple):
    """What a network says of N images, beside what annotators said."""

    images: np.ndarray
    """(N,) names."""
    parts: np.ndarray
    """(N,) labelled, unlabelled, validation, test or waiting (`training.batches.split`)."""
    classes: np.ndarray
    """(N, k) float32, p_n."""
    clusters: np.ndarray
    """(N, k') float32, p_o, or what the run's sorting says in its place."""
    ambiguity: np.ndarray
    """(N,) float32, p_a, or what the run's sorting says in its place; zero where neither predicts any."""
    embedding: np.ndarray
    """(N, F) float32 pooled features."""
    votes: np.ndarray
    """(N, k) int64 votes, zeros where nobody judged."""
    class_names: tuple[str, ...]
    seed: int = 0
    """Of the run: breaks ties of votes as its split did; 0 in files of runs from before that was recorded."""

    @property
    def labels(self) -> np.ndarray:
        """(N,) number of the class with most votes, ties broken as in the whole run (`data.votes.reader`)."""
        return majority(self.votes, self.images, self.seed)

    @property
    def certain(self) -> np.ndarray:
        """(N,) True where the class output decides, False where the cluster output does."""
        return is_certain(self.ambiguity)

    def select(self, rows: np.ndarray) -> "Predictions":
        """Some of the images, by mask or row numbers."""
        chosen = {name: values[rows] for name, values in self._asdict().items() if isinstance(values, np.ndarray)}
        return self._replace(**chosen)

    def part(self, name: str) -> "Predictions":
        """The voted images of one part: what can be measured."""
        return self.select((self.parts == name) & (self.votes.sum(1) > 0))


_MATRICES = {
    "class_probabilities": pa.float32(),
    "cluster_probabilities": pa.float32(),
    "embedding": pa.float32(),
    "votes": pa.int64(),
}


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Writes one row an image; `class` and `cluster` hold the names and numbers of the argmax."""
    values = (predictions.classes, predictions.clusters, predictions.embedding, predictions.votes)
    names = np.array(predictions.class_names)
    columns = {
        "image": pa.array(predictions.images),
        "part": pa.array(predictions.parts),
        "class": pa.array(names[predictions.classes.argmax(1)]),
        "cluster": pa.array(predictions.clusters.argmax(1)),
        "ambiguity": pa.array(predictions.ambiguity, pa.float32()),
    } | {
        name: pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel(), kind), matrix.shape[1])
        for (name, kind), matrix in zip(_MATRICES.items(), values, strict=True)
    }
    about = {"classes": predictions.class_names, "seed": predictions.seed}
    table = pa.table(columns).replace_schema_metadata({"dc3": json.dumps(about)})
    pq.write_table(table, path)


def read_predictions(path: Path) -> Predictions:
    """Reads what `write_predictions` wrote.

    Raises InputError with every fault of a file that is another one, was cut short or was changed.
    """
    try:
        with pq.ParquetFile(path) as file:  # not pq.read_table, which reads a folder as one table
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as predictions.parquet of a run: {error}.") from error
    columns, faults = {}, []
    for name in ("image", "part", "ambiguity", *_MATRICES):
        try:
            columns[name] = _read_column(table, name)
        except (ValueError, TypeError, KeyError, NotImplementedError) as error:
            faults.append(f"column {name}: {error}")
    try:
        classes, seed = _read_classes(table)
        faults += [
            f"column {name}: {columns[name].shape[1]} values a row for {len(classes)} classes"
            for name in ("class_probabilities", "votes")
            if name in columns and columns[name].shape[1] != len(classes)
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        faults.append("metadata dc3: no list of the classes' names")
    if "image" in columns and len(np.unique(columns["image"])) < len(table):
        faults.append("column image: a name stands there twice")
    if faults:
        raise InputError(
            f"{path} is not what a run wrote as predictions.parquet; fetch it anew:\n- " + "\n- ".join(faults)
        )
    return Predictions(
        columns["image"].astype(str),
        columns["part"].astype(str),
        columns["class_probabilities"],
        columns["cluster_probabilities"],
        columns["ambiguity"],
        columns["embedding"],
        columns["votes"],
        classes,
        seed,
    )


def _read_column(table: pa.Table, name: str) -> np.ndarray:
    """(N,) or (N, width); raises ValueError, or whatever Arrow says of a column of another type."""
    if not len(table):
        raise ValueError("no rows")
    column = table[name].combine_chunks()
    kind = _MATRICES.get(name)
    if kind is not None:
        widths = set(pc.list_value_length(column).to_pylist())
        if len(widths) > 1 or not all(widths):
            raise ValueError("its lists must all have the same length")
        column = column.flatten()
    else:
        kind = pa.float32() if name == "ambiguity" else pa.string()
    column = column.cast(kind)
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    if column.null_count or (pa.types.is_floating(kind) and not np.isfinite(values).all()):
        raise ValueError("empty or infinite values")
    return values.reshape(len(table), -1) if name in _MATRICES else values


def _read_classes(table: pa.Table) -> tuple[tuple[str, ...], int]:
    """Names and seed."""
    about = json.loads(table.schema.metadata[b"dc3"])
    names = about["classes"]
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise ValueError(f"no class names: {names}")
    return tuple(names), int(about.get("seed", 0))
