import numpy as np
import pytest

from data.errors import InputError
from relabel.options import EstimateOptions
from relabel.simulate.annotators import AnnotatorModel, TimeModel, answer_image
from relabel.soft_labels.bias_correction import correct_bias, correct_bias_and_blend, invert_acceptance
from relabel.soft_labels.class_blending import blend
from tests.relabel.soft_labels.answers import make_ballots


@pytest.mark.parametrize("d", [0.0, 0.26, 0.65])
def test_many_votes_with_a_known_bias_give_the_truth_back(d: float) -> None:
    truth = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.0, 0.2, 0.8]])
    generator = np.random.default_rng(0)
    n = 4000
    image = np.repeat(np.arange(3), n)
    answers = [answer_image(truth[row], 1, generator, AnnotatorModel(d=d), TimeModel()).label for row in image]
    ballots = make_ballots(image, np.array(answers), 3, shown=np.full(3 * n, 1))
    corrected = correct_bias(ballots, EstimateOptions(bias=d))
    # 4 standard errors of the share of votes, widened by the division through 0.99 - d
    np.testing.assert_allclose(corrected, truth, atol=4 * 0.5 / np.sqrt(n) / (0.99 - d))
    if d:
        assert np.abs(ballots.counts / n - truth).max() > 0.05, "the raw votes were biased"


def test_votes_without_a_proposal_stay() -> None:
    ballots = make_ballots(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0]), 2, shown=np.array([-1, -1, -1, 0]))
    np.testing.assert_allclose(correct_bias(ballots, EstimateOptions())[0], [2 / 3, 1 / 3])


def test_groups_of_one_image_are_joined_by_their_number_of_votes() -> None:
    options = EstimateOptions(bias=0.5, full_acceptance=1.0)
    label, shown = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, -1, -1])
    ballots = make_ballots(np.zeros(6, int), label, 2, shown=shown)
    # 3 of 4 accepted with d = 0.5: p = 0.5; two free votes for class 1
    np.testing.assert_allclose(correct_bias(ballots, options), [[(4 * 0.5) / 6, (4 * 0.5 + 2) / 6]])


def test_what_nobody_voted_for_shares_the_rest_equally() -> None:
    soft = invert_acceptance(np.array([[0.6, 0.0, 0.0], [1.0, 0.0, 0.0]]), np.array([1, 0]), 0.2, 0.8)
    np.testing.assert_allclose(soft, [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    halved = invert_acceptance(np.array([[1.0, 0.0, 0.0]]), np.array([0]), 0.0, 1.0)
    np.testing.assert_allclose(halved, [[1, 0, 0]])


def test_blending_comes_after_the_correction() -> None:
    ballots = make_ballots(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, shown=np.array([0, 0, 1]))
    options = EstimateOptions(blend=0.4)
    expected = blend(correct_bias(ballots, options), 0.4)
    np.testing.assert_allclose(correct_bias_and_blend(ballots, options), expected)


def test_ballots_without_any_proposal_is_refused() -> None:
    with pytest.raises(InputError, match="no vote was given with one"):
        correct_bias(make_ballots(np.array([0]), np.array([0]), 2), EstimateOptions())


def test_impossible_bias_is_refused() -> None:
    with pytest.raises(InputError, match=r"they are 0\.99 and 0\.99"):
        invert_acceptance(np.eye(2), np.array([0, 1]), 0.99, 0.99)
