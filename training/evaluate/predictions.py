"""Predictions: one Parquet file with all that comes after training; no torch in here."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CERTAIN_BELOW = 0.5
"""An image is certain when p_a lies below (paper, section 2.2)."""


class Predictions(NamedTuple):
    """What a network says of N images, beside what annotators said."""

    images: np.ndarray
    """(N,) names."""
    parts: np.ndarray
    """(N,) labelled, unlabelled, validation or test."""
    classes: np.ndarray
    """(N, k) float32, p_n."""
    clusters: np.ndarray
    """(N, k') float32, p_o."""
    ambiguity: np.ndarray
    """(N,) float32, p_a; zero for variants that predict none."""
    embedding: np.ndarray
    """(N, F) float32 pooled features."""
    votes: np.ndarray
    """(N, k) int64 votes, zeros where nobody judged."""
    class_names: tuple[str, ...]

    @property
    def certain(self) -> np.ndarray:
        """(N,) True where the class output decides, False where the cluster output does."""
        return self.ambiguity < CERTAIN_BELOW

    def select(self, rows: np.ndarray) -> "Predictions":
        """Some of the images, by mask or row numbers."""
        chosen = {name: values[rows] for name, values in self._asdict().items() if name != "class_names"}
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
    table = pa.table(columns).replace_schema_metadata({"dc3": json.dumps({"classes": predictions.class_names})})
    pq.write_table(table, path)


def read_predictions(path: Path) -> Predictions:
    """Reads what `write_predictions` wrote."""
    table = pq.read_table(path)

    def matrix(name: str) -> np.ndarray:
        values: np.ndarray = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return values.reshape(len(table), -1)

    return Predictions(
        table["image"].to_numpy().astype(str),
        table["part"].to_numpy().astype(str),
        matrix("class_probabilities"),
        matrix("cluster_probabilities"),
        table["ambiguity"].to_numpy(),
        matrix("embedding"),
        matrix("votes"),
        tuple(json.loads(table.schema.metadata[b"dc3"])["classes"]),
    )
