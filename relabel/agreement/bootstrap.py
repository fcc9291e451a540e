"""Intervals by resampling images: all answers on an image are drawn together (Efron and Tibshirani 1993).

Every function draws the same images for the same seed, number of images and of resamples, so that figures of two arms
that were resampled one after the other can be subtracted resample by resample: that pairs the arms over images.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

FEWEST_IMAGES = 10
"""A bootstrap over fewer images says little: no interval is given."""
FEWEST_RESAMPLES = 200
MOST_WORK = 100_000_000
"""Answers times resamples beyond which there are fewer resamples: about ten seconds on one core."""
_CHUNK = 2_000_000


class Draws(NamedTuple):
    """What is drawn: `n_images` out of as many, `resamples` times."""

    n_images: int
    resamples: int
    seed: int

    def at_most(self, n_answers: int) -> "Draws":
        """Fewer resamples for a figure that goes over so many answers that it would take minutes."""
        limit = max(FEWEST_RESAMPLES, MOST_WORK // max(n_answers, 1))
        return self._replace(resamples=min(self.resamples, limit))

    def weights(self) -> Iterator[np.ndarray]:
        """(b, N) float32 how often each image was drawn, in chunks of b resamples."""
        generator = np.random.default_rng(self.seed)
        step = max(1, _CHUNK // max(self.n_images, 1))
        for start in range(0, self.resamples, step):
            size = min(step, self.resamples - start)
            drawn = generator.integers(self.n_images, size=(size, self.n_images))
            drawn += np.arange(size)[:, None] * self.n_images
            counts = np.bincount(drawn.ravel(), minlength=size * self.n_images)
            yield counts.reshape(size, self.n_images).astype(np.float32)


def resample_sums(statistics: np.ndarray, draws: Draws) -> np.ndarray:
    """(B, s) sums over the images drawn of (N, s) statistics of each image."""
    kept = np.flatnonzero(statistics.any(1))
    chosen = statistics[kept].astype(np.float64)
    return np.concatenate([weights[:, kept].astype(np.float64) @ chosen for weights in draws.weights()])


def resample_quantiles(values: np.ndarray, rows: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """(B,) medians and (B,) trimmed means (10 % off either end) of the answers on the images drawn.

    Args:
        values: (A,) one number an answer.
        rows: (A,) image of each, 0 to N - 1.
        draws: as for the other arm.
    """
    order = np.argsort(values, kind="stable")
    values, rows = values[order], rows[order]
    medians, means = [], []
    for weights in draws.weights():
        for row in weights:
            median, mean = weighted_centre(values, row[rows])
            medians.append(median)
            means.append(mean)
    return np.array(medians), np.array(means)


def weighted_centre(values: np.ndarray, weights: np.ndarray, trim: float = 0.1) -> tuple[float, float]:
    """Median and trimmed mean of sorted values that count `weights` times; NaN for a weight of zero.

    Example: 1, 2, 3, 4, 90 have the median 3 and, a fifth trimmed at either end, the mean 3.
    """
    reached = weights.cumsum(dtype=np.float64)
    total = reached[-1] if len(reached) else 0.0
    if not total:
        return float("nan"), float("nan")
    # the mean of the two middle values where their number is even
    low, high = np.searchsorted(reached, total / 2, side="left"), np.searchsorted(reached, total / 2, side="right")
    median = (values[low] + values[min(high, len(values) - 1)]) / 2
    inside = np.diff(np.clip(reached, trim * total, (1 - trim) * total), prepend=trim * total)
    return float(median), float(inside @ values / inside.sum())


def interval(samples: np.ndarray, n_images: int) -> tuple[float, float, str]:
    """95 % interval of resampled figures, and why there is none where both ends are NaN.

    The 2.5th and 97.5th percentile, moved outwards where there are few images: a bootstrap of n draws is too narrow by
    sqrt((n - 1) / n) and knows nothing of Student's t (expanded percentiles, Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). Example: 16 images give the 1.4th and 98.6th, 1000 the 2.5th and 97.5th.
    """
    if n_images < FEWEST_IMAGES:
        return float("nan"), float("nan"), f"no interval: {n_images} image(s), at least {FEWEST_IMAGES} are needed"
    finite = samples[np.isfinite(samples)]
    if len(finite) < 0.9 * len(samples):
        return float("nan"), float("nan"), "no interval: undefined in more than a tenth of the resamples; more images"
    outside = 100 * norm.cdf(-np.sqrt(n_images / (n_images - 1)) * t.ppf(0.975, n_images - 1))
    low, high = np.percentile(finite, [outside, 100 - outside])
    return float(low), float(high), ""
