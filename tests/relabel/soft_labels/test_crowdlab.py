import sys

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from relabel.options import EstimateOptions
from relabel.soft_labels.crowdlab import weigh_with_model
from tests.relabel.soft_labels.answers import make_ballots, simulate_ballots


@pytest.fixture
def cleanlab() -> object:
    """cleanlab's own entry point."""
    try:
        from cleanlab import multiannotator
    except ImportError:
        pytest.skip("CLEANLAB MISSING: CROWDLAB is not tested; pip install 'dc3[crowdlab]'")
    return multiannotator


def _model(truth: np.ndarray, k: int) -> np.ndarray:
    """Calibrated probabilities: the posterior of the class that a Gaussian feature was drawn about."""
    distance = 2.0
    features = distance * np.eye(k)[truth] + np.random.default_rng(7).standard_normal((len(truth), k))
    powers = np.exp(distance * features)
    return powers / powers.sum(1, keepdims=True)


def test_equals_what_cleanlab_says_of_its_consensus(cleanlab) -> None:
    ballots, truth = simulate_ballots(3, 400, 5, 6, 3)
    ballots = ballots._replace(probabilities=_model(truth, 5))
    soft = weigh_with_model(ballots, EstimateOptions())
    wide = np.full((400, 6), np.nan)
    wide[ballots.image, ballots.annotator] = ballots.label
    found = cleanlab.get_label_quality_multiannotator(pd.DataFrame(wide), ballots.probabilities, verbose=False)
    quality = found["label_quality"]
    consensus = quality["consensus_label"].to_numpy()
    np.testing.assert_allclose(soft[np.arange(400), consensus], quality["consensus_quality_score"], rtol=1e-6)


def test_model_and_votes_beat_the_votes(cleanlab) -> None:
    ballots, truth = simulate_ballots(3, 2000, 5, 6, 3)
    ballots = ballots._replace(probabilities=_model(truth, 5))
    right = (weigh_with_model(ballots, EstimateOptions()).argmax(1) == truth).mean()
    assert right > (ballots.counts.argmax(1) == truth).mean() + 0.01


def test_one_vote_an_image_is_refused() -> None:
    ballots = make_ballots(np.arange(2), np.array([0, 1]), 2, np.array([0, 1]))
    with pytest.raises(InputError, match="nowhere do they"):
        weigh_with_model(ballots._replace(probabilities=np.full((2, 2), 0.5)), EstimateOptions())


def test_without_predictions_it_says_what_to_give() -> None:
    ballots = make_ballots(np.array([0, 0]), np.array([0, 1]), 2, np.array([0, 1]))
    with pytest.raises(InputError, match="--predictions"):
        weigh_with_model(ballots, EstimateOptions())


def test_without_cleanlab_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.multiannotator", None)
    ballots = make_ballots(np.array([0, 0]), np.array([1, 1]), 2, np.array([0, 1]))
    with pytest.raises(InputError, match=r"pip install 'dc3\[crowdlab\]'"):
        weigh_with_model(ballots._replace(probabilities=np.full((1, 2), 0.5)), EstimateOptions())
