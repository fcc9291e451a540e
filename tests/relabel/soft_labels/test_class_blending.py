import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from data.errors import InputError
from data.votes.counts import soft_labels
from relabel.options import EstimateOptions
from relabel.soft_labels.class_blending import blend, blend_classes, mean_soft_labels
from tests.relabel.soft_labels.answers import make_ballots


def _slow(counts: np.ndarray, weight: float) -> np.ndarray:
    """(1 - w) p + w C[argmax p], C the mean soft label of each class; a tie counts for its classes in equal parts."""
    rows = [row / row.sum() for row in counts]
    leaders = [[number for number, n in enumerate(row) if n == max(row)] for row in counts]
    means = {}
    for number in range(counts.shape[1]):
        parts = [(1 / len(found), row) for row, found in zip(rows, leaders, strict=True) if number in found]
        means[number] = sum(part * row for part, row in parts) / sum(part for part, _ in parts) if parts else None
    result = []
    for row, found in zip(rows, leaders, strict=True):
        mean = sum(means[number] for number in found) / len(found)
        result.append((1 - weight) * row + weight * mean)
    return np.array(result)


@given(
    nst.arrays(int, (7, 3), elements=st.integers(0, 5)).map(lambda counts: counts + np.eye(7, 3, dtype=int)),
    st.floats(0, 1),
)
def test_blending_equals_the_formula(counts: np.ndarray, weight: float) -> None:
    counts[counts.sum(1) == 0, 0] = 1
    np.testing.assert_allclose(blend(soft_labels(counts), weight), _slow(counts, weight), atol=1e-12)


def test_given_means_are_mixed_in() -> None:
    means = np.array([[0.9, 0.1], [0.2, 0.8]])
    ballots = make_ballots(np.array([0, 1]), np.array([0, 1]), 2)._replace(blend_with=means)
    np.testing.assert_allclose(blend_classes(ballots, EstimateOptions()), [[0.975, 0.025], [0.05, 0.95]])


def test_one_vote_an_image_stays_without_given_means() -> None:
    ballots = make_ballots(np.arange(3), np.array([0, 2, 2]), 3)
    np.testing.assert_array_equal(blend_classes(ballots, EstimateOptions()), np.eye(3)[[0, 2, 2]])


def test_names_of_classes_decide_nothing_at_a_tie() -> None:
    soft = np.array([[0.5, 0.5, 0], [0.8, 0.2, 0], [0.1, 0.9, 0]])
    np.testing.assert_allclose(blend(soft, 0.25)[:, [1, 0, 2]], blend(soft[:, [1, 0, 2]], 0.25))
    np.testing.assert_allclose(mean_soft_labels(soft)[0], (0.5 * soft[0] + soft[1]) / 1.5)


def test_a_class_that_leads_no_image_is_one_hot() -> None:
    np.testing.assert_allclose(mean_soft_labels(np.array([[0.75, 0.25], [0.55, 0.45]])), [[0.65, 0.35], [0, 1]])


def test_weight_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"0 to 1, it is 1\.5"):
        blend(np.eye(2), 1.5)
