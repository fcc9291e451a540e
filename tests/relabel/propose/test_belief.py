"""What is known of an image: votes beside the network."""

import numpy as np
import pytest

from data.predictions import Predictions
from relabel.propose.belief import PRIOR_VOTES, believe, fit_prior_votes, shares
from tests.relabel.propose.predictions import digits_run


def run(classes: np.ndarray, votes: np.ndarray, part: str = "validation") -> Predictions:
    n = len(votes)
    names, parts = np.array([f"{row}.png" for row in range(n)]), np.array([part] * n)
    embedding = np.zeros((n, 2), np.float32)
    return Predictions(names, parts, classes, classes, np.zeros(n, np.float32), embedding, votes, ("cat", "dog"))


def test_example_of_the_docstring() -> None:
    belief = believe(run(np.array([[0.5, 0.5]]), np.array([[1, 0]])), "all", 2)
    assert belief == pytest.approx(np.array([[2.0, 1.0]]))
    assert shares(belief)[0, 0] == pytest.approx(2 / 3)


@pytest.mark.parametrize("s", [0.3, 2.0, 10.0])
def test_fit_finds_the_prior_votes_that_made_the_votes(s: float) -> None:
    random = np.random.default_rng(0)
    p = random.uniform(0.1, 0.9, 4000)
    truth = random.beta(s * p, s * (1 - p))
    first = random.binomial(12, truth)
    predictions = run(np.column_stack([p, 1 - p]), np.column_stack([first, 12 - first]))
    assert fit_prior_votes(predictions) == pytest.approx(s, rel=0.15)


@pytest.mark.parametrize("part", ["validation", "unlabelled"])
def test_without_two_votes_an_image_the_fit_is_not_tried(part: str) -> None:
    votes = np.array([[1, 0], [0, 1]]) if part == "validation" else np.array([[9, 1], [5, 5]])
    assert fit_prior_votes(run(np.full((2, 2), 0.5), votes, part)) == PRIOR_VOTES


def test_known_votes_are_those_allowed() -> None:
    digits = digits_run(100, 100)
    for kind, parts in (("all", set(digits.parts)), ("labelled", {"labelled"}), ("none", set())):
        belief = believe(digits, kind, 1.0)  # type: ignore[arg-type]
        assert set(digits.parts[belief.sum(1) > 1.5]) == parts
