"""Intervals cover what they should, and arms are resampled together."""

import numpy as np
import pytest

from relabel.agreement.bootstrap import (
    FEWEST_RESAMPLES,
    Draws,
    interval,
    resample_quantiles,
    resample_sums,
    weighted_centre,
)
from relabel.agreement.coefficients import agreement_of_sums, image_statistics


def test_interval_covers_the_known_value_in_95_of_100_cases() -> None:
    n_images, n_answers, runs = 150, 3, 300
    generator = np.random.default_rng(1)
    kinds = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    observed, expected = (kinds**2).sum(1).mean(), (kinds.mean(0) ** 2).sum()
    truths = (100 * observed, (observed - expected) / (1 - expected))
    covered = np.zeros(2)
    for run in range(runs):
        counts = generator.multinomial(n_answers, kinds[generator.integers(3, size=n_images)])
        drawn = agreement_of_sums(resample_sums(image_statistics(counts), Draws(n_images, 200, run)))
        for place, (samples, truth) in enumerate(zip((drawn.percent, drawn.alpha), truths, strict=True)):
            low, high, _ = interval(samples, n_images)
            covered[place] += low <= truth <= high
    # binomial: 95 % of 300 is 285, three standard deviations 11; the percentile bootstrap is a little too narrow
    assert (covered >= 0.91 * runs).all(), covered
    assert (covered <= 0.985 * runs).all(), covered


def test_every_resample_has_as_many_images() -> None:
    draws = Draws(50, 300, 4)
    drawn = np.concatenate(list(draws.weights()))
    assert drawn.shape == (300, 50)
    assert (drawn.sum(1) == 50).all()


def test_same_seed_draws_the_same_images_for_both_arms() -> None:
    draws = Draws(40, 200, 7)
    values = np.random.default_rng(0).random((40, 1))
    np.testing.assert_allclose(resample_sums(values + 1, draws), resample_sums(values, draws) + 40)
    assert not np.allclose(resample_sums(values, draws), resample_sums(values, draws._replace(seed=8)))


def test_median_and_trimmed_mean_of_the_example() -> None:
    values = np.array([1.0, 2, 3, 4, 90])
    assert weighted_centre(values, np.ones(5), 0.2) == pytest.approx((3, 3))
    assert weighted_centre(values[:4], np.ones(4), 0)[0] == pytest.approx(2.5)
    assert np.isnan(weighted_centre(values, np.zeros(5))).all()


def test_resampled_median_is_that_of_the_repeated_answers() -> None:
    generator = np.random.default_rng(0)
    values, rows = generator.random(60), generator.integers(20, size=60)
    draws = Draws(20, 30, 3)
    medians, _ = resample_quantiles(values, rows, draws)
    drawn = np.concatenate(list(draws.weights())).astype(int)
    expected = [np.median(np.repeat(values, row[rows])) for row in drawn]
    np.testing.assert_allclose(medians, expected)


def test_no_interval_without_images_or_with_undefined_resamples() -> None:
    low, high, why = interval(np.arange(100.0), 9)
    assert np.isnan([low, high]).all()
    assert "9 image" in why
    assert "undefined" in interval(np.where(np.arange(100) < 80, 1.0, np.nan), 50)[2]


def test_very_many_answers_get_fewer_resamples() -> None:
    assert Draws(10, 1000, 0).at_most(10_000).resamples == 1000
    assert Draws(10, 1000, 0).at_most(10**9).resamples == FEWEST_RESAMPLES
