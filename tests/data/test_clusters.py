import numpy as np
import pytest

from data.clusters import caption, caption_clusters, list_class_groups, list_clusters
from data.typical import order_typical
from tests.training.evaluate.test_metrics import make_predictions


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


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ([0.6, 0.3, 0.1, 0.0, 0.0], "cat or dog"),
        ([0.2, 0.2, 0.2, 0.2, 0.2], "cat or dog or owl"),
        ([0.19, 0.19, 0.19, 0.19, 0.24], "fox"),
        ([0.1, 0.2, 0.7, 0.0, 0.0], "owl or dog"),
    ],
)
def test_a_caption_names_classes_from_a_fifth_on_and_three_at_most(share: list[float], expected: str) -> None:
    assert caption(np.array(share), ("cat", "dog", "owl", "pig", "fox")) == expected


def test_where_no_class_has_a_fifth_the_largest_is_named() -> None:
    assert caption(np.array([0.16, 0.19, 0.17, 0.16, 0.16, 0.16]), tuple("abcdef")) == "b"


def test_class_groups_hold_all_images_typical_first() -> None:
    predictions = make_predictions([0.9] * 20 + [0.1] * 20)
    groups = list_class_groups(predictions)
    assert sorted(row for group in groups for row in group.members) == list(range(40))
    for group in groups:
        assert group.caption == predictions.class_names[group.number]
        assert set(predictions.classes[group.members].argmax(1)) == {group.number}
        assert order_typical(predictions.embedding[group.members]).tolist() == list(range(len(group.members)))


def test_typical_is_what_lies_near_the_mean_and_a_tie_keeps_the_order() -> None:
    assert order_typical(np.array([[3.0], [0.0], [1.0], [2.0]])).tolist() == [2, 3, 0, 1]
