"""What every estimator promises; a new one adds no line."""

import importlib.util

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from data.errors import InputError
from relabel.options import EstimateOptions
from relabel.soft_labels import ESTIMATORS
from relabel.soft_labels.ballots import Ballots
from tests.relabel.soft_labels.answers import make_ballots

OPTIONS = EstimateOptions(bias=0.26)


def _need_library(name: str) -> None:
    if name == "crowdlab" and importlib.util.find_spec("cleanlab") is None:
        pytest.skip("CLEANLAB MISSING: CROWDLAB is not tested; pip install 'dc3[crowdlab]'")


@st.composite
def ballot_sets(draw: st.DrawFn) -> Ballots:
    """Any votes: 1 to 6 an image, some with a proposal, and two annotators who agree on image 0."""
    k = draw(st.integers(2, 5))
    n = draw(st.integers(1, 8))
    per_image = [draw(st.integers(2 if row == 0 else 1, 6)) for row in range(n)]
    image = np.repeat(np.arange(n), per_image)
    annotator = np.concatenate([np.arange(count) for count in per_image])
    label = np.array(draw(st.lists(st.integers(0, k - 1), min_size=len(image), max_size=len(image))))
    label[1] = label[0]
    shown = np.array(draw(st.lists(st.integers(-1, k - 1), min_size=len(image), max_size=len(image))))
    shown[0] = draw(st.integers(0, k - 1))
    weights = np.array(draw(st.lists(st.floats(0.01, 1), min_size=n * k, max_size=n * k))).reshape(n, k)
    ballots = make_ballots(image, label, k, annotator, shown)
    return ballots._replace(probabilities=weights / weights.sum(1, keepdims=True))


def estimate(name: str, ballots: Ballots) -> np.ndarray:
    """The soft labels; an example is dropped where CROWDLAB may refuse it: on no image one class leads."""
    try:
        return ESTIMATORS[name](ballots, OPTIONS)
    except InputError:
        top_two = np.sort(ballots.counts, 1)[:, -2:]
        assert name == "crowdlab"
        assert (top_two[:, 0] == top_two[:, 1]).all()
        reject()


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=60, deadline=None)
@given(ballots=ballot_sets())
def test_rows_lie_on_the_simplex(name: str, ballots: Ballots) -> None:
    _need_library(name)
    soft = estimate(name, ballots)
    assert soft.shape == (len(ballots.images), len(ballots.classes))
    assert (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-9)


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=25, deadline=None)
@given(ballots=ballot_sets(), seed=st.integers(0, 99))
def test_order_of_the_votes_changes_nothing(name: str, ballots: Ballots, seed: int) -> None:
    _need_library(name)
    order = np.random.default_rng(seed).permutation(len(ballots.image))
    columns = ("image", "label", "annotator", "shown")
    shuffled = ballots._replace(**{column: getattr(ballots, column)[order] for column in columns})
    # Dawid-Skene sums in another order, and may stop an iteration apart
    same = {"rtol": 1e-3, "atol": 1e-4}
    np.testing.assert_allclose(estimate(name, shuffled), estimate(name, ballots), **same)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_ballots_are_left_as_they_were(name: str) -> None:
    _need_library(name)
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]])
    ballots = make_ballots(
        np.array([0, 0, 1]), np.array([1, 1, 0]), 2, np.array([0, 1, 0]), np.array([0, -1, 1])
    )._replace(probabilities=probabilities)
    before = [np.copy(value) for value in ballots[2:6]] + [probabilities.copy()]
    ESTIMATORS[name](ballots, OPTIONS)
    after = [*ballots[2:6], probabilities]
    assert all((old == new).all() for old, new in zip(before, after, strict=True))


def test_crowdlab_draws_the_same_lots_for_a_tie_every_time() -> None:
    _need_library("crowdlab")
    # image 2: its annotators, equally good on the others, disagree, and model and class frequencies are no help
    ballots = make_ballots(
        np.array([0, 0, 1, 1, 2, 2]), np.array([2, 2, 2, 2, 0, 1]), 3, np.tile([0, 1], 3), np.full(6, -1)
    )._replace(probabilities=np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]]))
    found = []
    for seed in range(8):
        np.random.seed(seed)  # the generator that cleanlab takes
        expected = np.random.random()
        np.random.seed(seed)
        found.append(ESTIMATORS["crowdlab"](ballots, OPTIONS))
        assert np.random.random() == expected, "others' lots stay as they were"
    assert all(np.array_equal(found[0], again) for again in found)


def test_crowdlab_says_so_where_nothing_decides_any_image() -> None:
    _need_library("crowdlab")
    ballots = make_ballots(np.zeros(4, int), np.array([0, 0, 1, 1]), 2, np.arange(4), np.full(4, -1))._replace(
        probabilities=np.full((1, 2), 0.5)
    )
    with pytest.raises(InputError, match="an image on which most annotators agree"):
        ESTIMATORS["crowdlab"](ballots, OPTIONS)
