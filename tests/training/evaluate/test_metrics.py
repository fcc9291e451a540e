"""The paper's metrics by hand, and their edges."""

import numpy as np
import pytest

from data.predictions import Predictions
from training.evaluate.metrics import (
    class_metrics,
    evaluate,
    inner_distance,
    is_degenerate,
    proposal_metrics,
    trust_metrics,
    weighted_f1,
    weighted_inner_distance,
)


def slow_inner_distance(votes: np.ndarray, clusters: np.ndarray) -> float:
    """Equation 4 in plain Python."""
    means = []
    for cluster in set(clusters.tolist()):
        members = [row / row.sum() for row, number in zip(votes, clusters, strict=True) if number == cluster]
        centre = sum(members) / len(members)
        means.append(sum(float(((member - centre) ** 2).sum()) ** 0.5 for member in members) / len(members))
    return sum(means) / len(means)


def make_predictions(ambiguity: list[float]) -> Predictions:
    n = len(ambiguity)
    random = np.random.default_rng(0)
    return Predictions(
        np.array([f"i{row}" for row in range(n)]),
        np.array(["validation"] * n),
        random.dirichlet([1, 1, 1], n).astype(np.float32),
        random.dirichlet([0.3] * 15, n).astype(np.float32),
        np.array(ambiguity, np.float32),
        random.normal(size=(n, 4)).astype(np.float32),
        random.integers(0, 4, (n, 3)) + np.eye(3, dtype=int)[random.integers(0, 3, n)],
        ("a", "b", "c"),
    )


def test_inner_distance_of_the_docstring() -> None:
    assert inner_distance(np.array([[4, 0], [0, 3]]), np.array([0, 0])) == pytest.approx(0.5**0.5)
    assert inner_distance(np.array([[4, 0], [2, 0], [1, 1]]), np.array([0, 0, 1])) == 0


def test_inner_distance_equals_equation_4() -> None:
    random = np.random.default_rng(1)
    votes, clusters = random.integers(0, 9, (200, 5)) + 1, random.integers(0, 12, 200)
    assert inner_distance(votes, clusters) == pytest.approx(slow_inner_distance(votes, clusters))


def test_weighted_f1_of_the_docstring() -> None:
    assert weighted_f1(np.array([0, 0, 1]), np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_f1_counts_certain_and_d_ambiguous_images_only() -> None:
    votes = np.array([[5, 0], [0, 5], [5, 0], [0, 5]])
    found = dict(proposal_metrics(np.array([0, 1, 1, 1]), np.array([-1, -1, 7, 7]), votes, votes.argmax(1)))
    assert found["f1"] == 1
    assert found["d"] == pytest.approx(0.5**0.5)
    assert found["d_minus_f1"] == pytest.approx(0.5**0.5 - 1)
    assert found["ambiguous_share"] == 0.5


def test_all_certain_takes_classes_as_clusters_over_all_images() -> None:
    votes = np.array([[5, 0], [0, 5], [0, 5]])
    found = dict(proposal_metrics(np.array([0, 0, 1]), np.array([-1, -1, -1]), votes, votes.argmax(1)))
    assert found["d"] == pytest.approx(0.5**0.5 / 2)


def test_metrics_take_the_truth_of_a_tie_from_the_run() -> None:
    """All images tied between a and b, all predicted a: half are right, whatever the classes are called."""
    n = 400
    tied = make_predictions([0.1] * n)._replace(votes=np.tile([1, 1, 0], (n, 1)), classes=np.tile([1.0, 0, 0], (n, 1)))
    found = dict(evaluate(tied, ambiguity_aware=True))
    assert found["accuracy"] == (tied.labels == 0).mean() == pytest.approx(0.5, abs=0.1)
    swapped = dict(evaluate(tied._replace(classes=np.tile([0, 1.0, 0], (n, 1))), ambiguity_aware=True))
    assert swapped["accuracy"] == pytest.approx(1 - found["accuracy"])


def test_all_ambiguous_has_no_f1_and_is_degenerate() -> None:
    found = dict(evaluate(make_predictions([0.9] * 20), ambiguity_aware=True))
    assert found["f1"] == 0
    assert found["degenerate"] == 1


@pytest.mark.parametrize(("n_certain", "expected"), [(10, True), (11, False), (89, False), (90, True), (0, True)])
def test_degenerate_is_no_more_than_ten_percent_of_either(n_certain: int, expected: bool) -> None:
    assert is_degenerate(np.arange(100) < n_certain) is expected


def test_run_without_ambiguity_is_never_degenerate() -> None:
    found = dict(evaluate(make_predictions([0.0] * 20), ambiguity_aware=False))
    assert found["degenerate"] == 0
    assert "ambiguity_auroc" not in found


def test_perfect_and_reversed_ambiguity() -> None:
    votes = np.array([[5, 0], [4, 1], [3, 2]])
    perfect, reversed_ = (dict(trust_metrics(np.array(scores), votes)) for scores in ([0.1, 0.5, 0.9], [0.9, 0.5, 0.1]))
    counts = {"disputed_images": 2, "clearly_disputed_images": 1}
    assert perfect == pytest.approx({"ambiguity_auroc": 1, "ambiguity_auroc_clear": 1, "ambiguity_rank": 1, **counts})
    reverse = {"ambiguity_auroc": 0, "ambiguity_auroc_clear": 0, "ambiguity_rank": -1}
    assert reversed_ == pytest.approx(reverse | counts)


def test_a_stray_vote_among_many_disputes_an_image_but_not_clearly() -> None:
    """Ten votes: 10:0 agreed, 9:1 and 8:2 disputed by a stray, 7:3 below 80 %."""
    votes = np.array([[10, 0], [9, 1], [8, 2], [7, 3]])
    found = dict(trust_metrics(np.array([0.4, 0.1, 0.2, 0.9]), votes))
    assert (found["disputed_images"], found["clearly_disputed_images"]) == (3, 1)
    assert (found["ambiguity_auroc"], found["ambiguity_auroc_clear"]) == pytest.approx((1 / 3, 1))


def test_trust_is_left_out_where_undefined() -> None:
    assert dict(trust_metrics(np.array([0.1, 0.9]), np.array([[5, 0], [0, 5]]))) == {}


def test_macro_f1_counts_each_class_alike() -> None:
    found = dict(class_metrics(np.array([0, 0, 0, 0]), truth=np.array([0, 0, 0, 1])))
    assert found["accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((6 / 7 + 0) / 2)


def test_weighted_inner_distance_of_the_docstring() -> None:
    votes, clusters = np.array([[4, 0], [0, 4], [3, 0]]), np.array([0, 0, 1])
    assert weighted_inner_distance(votes, clusters) == pytest.approx(2 * 0.5**0.5 / 3)
    assert inner_distance(votes, clusters) == pytest.approx(0.5**0.5 / 2)


def test_clusters_of_one_make_d_small_and_hardly_move_it_weighted_by_images() -> None:
    """Nine of ten clusters are single images; half of the images lie in the tenth, with opposite votes."""
    votes = np.tile(np.eye(2, dtype=int), (9, 1)) * 5
    clusters = np.where(np.arange(18) < 9, np.arange(18), 9)
    assert inner_distance(votes, clusters) < 0.08 < 0.3 < weighted_inner_distance(votes, clusters)
