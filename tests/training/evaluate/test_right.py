"""Right proposals and d with the image left out: by hand, against a slow reference, and who cannot win by them."""

import time

import numpy as np
import pytest

from data.votes.counts import soft_labels
from tests.training.evaluate.test_metrics import make_predictions
from training.evaluate.metrics import evaluate, evaluate_part, inner_distance
from training.evaluate.right import (
    commonest_class,
    left_out_distance,
    left_out_metrics,
    proposals_right,
    purity_left_out,
    right_metrics,
)


def slow_proposals_right(classes: np.ndarray, clusters: np.ndarray, truth: np.ndarray) -> float:
    """The words of the docstring in plain Python."""
    right = 0.0
    for row, (guess, cluster, label) in enumerate(zip(classes, clusters, truth, strict=True)):
        if cluster < 0:
            right += guess == label
            continue
        others = [truth[other] for other in range(len(truth)) if other != row and clusters[other] == cluster]
        counts = {name: others.count(name) for name in others}
        leading = [name for name, count in counts.items() if count == max(counts.values())]
        right += (label in leading) / max(len(leading), 1)
    return right / len(truth)


def slow_left_out_distance(votes: np.ndarray, clusters: np.ndarray) -> float:
    """Likewise."""
    soft = soft_labels(votes)
    distances = []
    for row, cluster in enumerate(clusters):
        everybody = [other for other in range(len(soft)) if other != row]
        others = [other for other in everybody if clusters[other] == cluster] or everybody
        distances.append(np.linalg.norm(soft[row] - soft[others].mean(0)))
    return float(np.mean(distances))


def test_proposals_right_of_the_docstring() -> None:
    truth = np.array([0, 1, 0, 0, 1, 1])
    clusters = np.array([-1, -1, 4, 4, 4, 9])
    assert proposals_right(np.zeros(6, int), clusters, truth) == pytest.approx(1 / 3)


@pytest.mark.parametrize("n_clusters", [1, 3, 40, 300])
def test_proposals_right_equals_the_slow_reference(n_clusters: int) -> None:
    random = np.random.default_rng(n_clusters)
    truth, classes = random.integers(0, 4, 300), random.integers(0, 4, 300)
    clusters = random.integers(-1, n_clusters, 300)
    assert proposals_right(classes, clusters, truth) == pytest.approx(slow_proposals_right(classes, clusters, truth))


def test_purity_left_out_of_the_docstring() -> None:
    truth = np.array([0, 0, 1, 1])
    assert purity_left_out(np.array([0, 0, 0, 1]), truth) == 0.25
    assert purity_left_out(np.arange(4), truth) == 0, "clusters of one"


@pytest.mark.parametrize("n_clusters", [1, 3, 200])
def test_purity_left_out_equals_the_slow_reference(n_clusters: int) -> None:
    random = np.random.default_rng(n_clusters)
    truth, clusters = random.integers(0, 4, 300), random.integers(0, n_clusters, 300)
    slow = slow_proposals_right(np.full(300, -1), clusters, truth)
    assert purity_left_out(clusters, truth) == pytest.approx(slow)


def test_purity_is_measured_where_d_is() -> None:
    """On ambiguous images by cluster; where all are certain, on all images by predicted class."""
    mixed = make_predictions([0.9] * 30 + [0.1] * 30)
    ambiguous = mixed.select(np.arange(60) < 30)
    expected = purity_left_out(ambiguous.clusters.argmax(1), ambiguous.labels)
    assert dict(evaluate(mixed, True))["purity_left_out"] == expected
    certain = make_predictions([0.1] * 60)
    by_class = purity_left_out(certain.classes.argmax(1), certain.labels)
    assert dict(evaluate(certain, True))["purity_left_out"] == by_class


@pytest.mark.parametrize("n_clusters", [1, 5, 150])
def test_left_out_distance_equals_the_slow_reference(n_clusters: int) -> None:
    random = np.random.default_rng(n_clusters)
    votes, clusters = random.integers(0, 9, (200, 5)) + 1, random.integers(0, n_clusters, 200)
    assert left_out_distance(votes, clusters) == pytest.approx(slow_left_out_distance(votes, clusters))


def test_left_out_distance_of_the_docstring() -> None:
    votes = np.array([[4, 0], [0, 3]])
    assert left_out_distance(votes, np.array([0, 0])) == pytest.approx(2**0.5)
    assert inner_distance(votes, np.array([0, 0])) == pytest.approx(2**-0.5)


def test_clusters_of_one_image_win_by_the_papers_d_and_lose_by_both_of_ours() -> None:
    """Three hundred images of three pure groups; each alone in a cluster against the groups themselves."""
    truth = np.repeat([0, 1, 2], 100)
    votes = np.eye(3, dtype=int)[truth] * 8 + 1
    votes[::3, 0] += 3
    alone, groups, nobody = np.arange(300), truth, np.zeros(300, int)
    assert inner_distance(votes, alone) == 0 < inner_distance(votes, groups)
    assert proposals_right(nobody, alone, truth) == 0 < proposals_right(nobody, groups, truth) == 1
    assert left_out_distance(votes, alone) > left_out_distance(votes, groups)


def test_chance_is_that_of_shuffled_clusters_and_of_the_commonest_class() -> None:
    """60 % of class 0: shuffled clusters of fifty are right for the 60 %, whatever the clusters held before."""
    truth = np.repeat([0, 1], [600, 400])
    groups = np.where(truth == 0, np.arange(1000) % 12, 12 + np.arange(1000) % 8)
    found = dict(right_metrics(np.zeros(1000, int), groups, truth, commonest=1, seed=0))
    assert found["proposals_right"] == 1
    assert found["proposals_right_shuffled"] == pytest.approx(0.58, abs=0.03)
    assert found["proposals_right_commonest"] == 0.4
    distances = dict(left_out_metrics(np.zeros(1000, int), groups, np.eye(2, dtype=int)[truth], truth, seed=0))
    assert distances["d_left_out"] == 0
    one_group = slow_left_out_distance(np.eye(2, dtype=int)[truth], np.zeros(1000))
    assert distances["d_left_out_commonest"] == pytest.approx(one_group)
    assert distances["d_left_out_shuffled"] == pytest.approx(one_group, abs=0.02)


def test_certain_images_keep_their_class_when_clusters_are_shuffled() -> None:
    truth = np.repeat([0, 1], 50)
    clusters = np.where(np.arange(100) % 2, -1, truth)
    found = dict(right_metrics(truth, clusters, truth, None, seed=0))
    assert 0.5 <= found["proposals_right_shuffled"] < 1
    guessed = dict(right_metrics(truth, np.where(np.arange(100) < 90, -1, 0), truth, None, seed=0))
    assert guessed["proposals_right_shuffled"] == 1, "one cluster of one class stays one whoever is in it"
    assert "proposals_right_commonest" not in found


def test_chance_is_the_same_at_each_call_and_left_out_where_nothing_can_be_shuffled() -> None:
    predictions = make_predictions([0.9] * 30 + [0.1] * 30)
    assert dict(evaluate(predictions, True, 0)) == dict(evaluate(predictions, True, 0))
    certain = dict(evaluate(make_predictions([0.1] * 30), True, 0))
    assert certain["proposals_right"] == certain["accuracy"]
    assert "proposals_right_shuffled" not in certain
    assert certain["measured_images"] == 30


def test_a_single_ambiguous_image_is_wrong_and_has_no_distance() -> None:
    found = dict(evaluate(make_predictions([0.9] + [0.1] * 9), True))
    assert found["proposals_right"] <= 0.9
    assert "d_left_out" not in found


def test_the_commonest_class_is_learnt_from_the_labelled_part() -> None:
    parts = np.repeat(["labelled", "validation"], 20)
    truth = np.repeat([2, 1], 20)
    predictions = make_predictions([0.1] * 40)._replace(parts=parts, votes=np.eye(3, dtype=int)[truth])
    assert evaluate_part(predictions, "validation", True)["proposals_right_commonest"] == 0
    assert evaluate_part(predictions, "labelled", True)["proposals_right_commonest"] == 1
    assert commonest_class(np.zeros((3, 2), int), ("a", "b", "c"), 0) is None
    assert commonest_class(np.array([[0, 0], [0, 0], [0, 1]]), ("a", "b", "c"), 0) == 1, (
        "who is not voted on says nothing"
    )


def test_a_tied_image_has_the_class_that_the_whole_run_drew() -> None:
    tied = make_predictions([0.1] * 200)._replace(votes=np.tile([1, 1, 0], (200, 1)))
    found = dict(evaluate(tied._replace(classes=np.eye(3, dtype=np.float32)[tied.labels]), True))
    assert found["proposals_right"] == 1


def test_ten_thousand_images_take_a_fraction_of_a_second() -> None:
    random = np.random.default_rng(0)
    votes = random.integers(0, 9, (10_000, 10)) + 1
    truth, clusters = votes.argmax(1), random.integers(0, 2_000, 10_000)
    start = time.process_time()
    dict(right_metrics(truth, clusters, truth, 0, 0)), dict(left_out_metrics(truth, clusters, votes, truth, 0))
    assert time.process_time() - start < 1
