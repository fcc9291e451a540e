"""The ranking's number is the fall of the expected KL, and orders images as it should."""

import numpy as np
import pytest

from relabel.cost import Cost, check_seconds
from relabel.propose.ranking import expected_gain, member_minutes


def entropy(p: np.ndarray) -> float:
    return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def slow_gain(a: np.ndarray) -> float:
    """The definition, typed as it stands."""
    mean = a / a.sum()
    return entropy(mean) - sum(mean[c] * entropy((a + np.eye(len(a))[c]) / (a.sum() + 1)) for c in range(len(a)))


def test_example_of_the_docstring() -> None:
    assert expected_gain(np.array([[1.0, 1.0]]))[0] == pytest.approx(0.0566, abs=5e-5)


def test_equals_the_definition() -> None:
    belief = np.random.default_rng(0).gamma(0.7, size=(50, 6)) + 1e-4
    assert expected_gain(belief) == pytest.approx([slow_gain(row) for row in belief], abs=1e-12)


def test_equals_the_fall_of_the_expected_kl_by_simulation() -> None:
    """Draw the true share, then a vote of it: that much does the KL to the truth fall on average."""
    random = np.random.default_rng(1)
    a = np.array([1.5, 0.8, 0.4])
    truth = random.dirichlet(a, 400_000)
    vote = (truth.cumsum(1) < random.random((len(truth), 1))).sum(1).clip(max=2)
    after = (a + np.eye(3)[vote]) / (a.sum() + 1)
    # KL(t, before) - KL(t, after): the entropy of t falls out
    fall = (truth * (np.log(after) - np.log(a / a.sum()))).sum(1).mean()
    assert expected_gain(a[None])[0] == pytest.approx(fall, abs=2e-3)


def test_many_agreeing_votes_rank_below_few_that_disagree() -> None:
    prior = np.full(3, 0.3)
    many_agree, two_disagree, none = expected_gain(prior + np.array([[20, 0, 0], [1, 1, 0], [0, 0, 0]]))
    assert many_agree < two_disagree < none


def test_gain_is_never_negative_and_finite_for_huge_counts() -> None:
    gain = expected_gain(np.array([[1e9, 1e-6], [1e-9, 1e-9], [5e8, 5e8]]))
    assert np.isfinite(gain).all()
    assert (gain >= 0).all()


def test_a_member_of_a_tight_cluster_costs_less_than_a_check_and_an_outlier_more() -> None:
    cost = Cost()
    tight = member_minutes(np.ones(11), cost)
    assert tight * 60 == pytest.approx(np.full(11, 4.56 / 11))
    assert tight[0] < check_seconds(cost) / 60 < cost.single_seconds / 60
    assert member_minutes(np.zeros(11), cost)[0] > cost.single_seconds / 60
