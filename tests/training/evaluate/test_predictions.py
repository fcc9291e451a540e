"""The Parquet file carries everything after training."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tests.training.evaluate.test_metrics import make_predictions
from training.evaluate.clusters import caption_clusters, list_clusters
from training.evaluate.predictions import read_predictions, write_predictions


def test_what_is_written_is_read(tmp_path: Path) -> None:
    predictions = make_predictions([0.1, 0.9, 0.4, 0.6])
    write_predictions(predictions, tmp_path / "p.parquet")
    read = read_predictions(tmp_path / "p.parquet")
    for name, value in predictions._asdict().items():
        assert np.array_equal(value, getattr(read, name)), name


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


def test_clusters_hold_ambiguous_images_typical_first() -> None:
    predictions = make_predictions([0.9] * 30 + [0.1] * 30)
    clusters = list_clusters(predictions)
    assert sorted(row for cluster in clusters for row in cluster.members) == list(range(30))
    assert [len(cluster.members) for cluster in clusters] == sorted((len(c.members) for c in clusters), reverse=True)
    largest = clusters[0]
    embedding = predictions.embedding[largest.members]
    distance = np.linalg.norm(embedding - embedding.mean(0), axis=1)
    assert (np.diff(distance) >= 0).all()


def test_captions_name_the_likely_classes() -> None:
    predictions = make_predictions([0.9, 0.9, 0.9])
    classes = np.array([[0.5, 0.45, 0.05], [0.5, 0.45, 0.05], [0.1, 0.1, 0.8]], np.float32)
    clusters = np.eye(15, dtype=np.float32)[[4, 4, 2]]
    captions = caption_clusters(predictions._replace(classes=classes, clusters=clusters))
    assert captions[4] == "a or b"
    assert captions[2] == "c"
    assert captions[0] == "empty"
