import numpy as np
import pytest

from data.errors import InputError
from relabel.options import EstimateOptions
from relabel.soft_labels.dawid_skene import estimate_dawid_skene, fit_dawid_skene
from tests.relabel.soft_labels.answers import make_ballots, simulate_ballots


def test_known_confusion_matrices_are_recovered() -> None:
    confusion = np.array(
        [
            [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]],
            [[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]],
            [[0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.1, 0.1, 0.8]],
            [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.05, 0.05, 0.9]],
        ]
    )
    prior = np.array([0.5, 0.3, 0.2])
    generator = np.random.default_rng(0)
    n = 20_000
    truth = generator.choice(3, n, p=prior)
    annotator = np.tile(np.arange(4), n)
    image = np.repeat(np.arange(n), 4)
    limits = confusion.cumsum(2)[annotator, truth[image]]
    label = (generator.random((4 * n, 1)) > limits).sum(1)
    fitted = fit_dawid_skene(make_ballots(image, label, 3, annotator), EstimateOptions())
    np.testing.assert_allclose(fitted.confusion, confusion, atol=0.05)
    np.testing.assert_allclose(fitted.prior, prior, atol=0.02)


@pytest.mark.parametrize(
    "options", [EstimateOptions(iterations=0), EstimateOptions(tolerance=0), EstimateOptions(tolerance=float("nan"))]
)
def test_settings_with_which_it_would_not_run_or_not_end_are_refused(options: EstimateOptions) -> None:
    ballots, _ = simulate_ballots(1, 10, 4, 8, 3)
    with pytest.raises(InputError, match="iterations of 1 or more and a tolerance above 0"):
        fit_dawid_skene(ballots, options)


def test_equals_crowd_kit() -> None:
    """crowd-kit 1.4.2, DawidSkene(n_iter=3000, tol=1e-13), on these very answers: 79.2 % right, as here."""
    ballots, truth = simulate_ballots(1, 1000, 4, 8, 3)
    soft = estimate_dawid_skene(ballots, EstimateOptions(iterations=3000, tolerance=1e-13))
    assert (soft.argmax(1) == truth).mean() == pytest.approx(0.792)
    expected = [[0.01181, 0.7283, 0, 0.25989], [0.08705, 0.86436, 0.04859, 0], [0, 0.92044, 0.07956, 0]]
    np.testing.assert_allclose(soft[:3], expected, atol=1e-5)


def test_beats_the_majority_where_annotators_differ() -> None:
    ballots, truth = simulate_ballots(0, 10_000, 10, 30, 3)
    fitted = (estimate_dawid_skene(ballots, EstimateOptions()).argmax(1) == truth).mean()
    counted = (ballots.counts.argmax(1) == truth).mean()
    # crowd-kit 1.4.2 finds 0.9052 here
    assert fitted == pytest.approx(0.9052, abs=0.001)
    assert fitted > counted + 0.01


def test_votes_without_names_are_refused() -> None:
    with pytest.raises(InputError, match="2 of 2 votes name none"):
        estimate_dawid_skene(make_ballots(np.array([0, 0]), np.array([0, 1]), 2), EstimateOptions())
