"""Who judged what twice: the same annotator in repetitions, or two annotators."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from relabel.agreement.bootstrap import Draws
from relabel.agreement.coefficients import cohen_kappa, count_pair, kappa_of_sums, pair_statistics

FEWEST_SHARED = 10
"""Images that two must share before their kappa counts: on fewer it is noise."""
MOST_PAIRS = 1500
"""Pairs with most shared images that are compared; 55 annotators who all met make 1,485."""
_CHUNK = 20_000_000


class Seats(NamedTuple):
    """Answers by image and seat; a seat is one annotator's n-th answer on each image."""

    labels: np.ndarray
    """(N, S) int16 class numbers, -1 where the seat did not judge the image."""
    annotators: tuple[str, ...]
    """S names."""
    repetitions: tuple[int, ...]
    """S numbers, 0 for the first answer."""
    n_classes: int

    def counts(self) -> np.ndarray:
        """(N, k) answers of each class, every annotator once: repetitions would pass for other people."""
        first = self.labels[:, np.array(self.repetitions) == 0]
        return np.stack([(first == number).sum(1) for number in range(self.n_classes)], axis=1)


class Pair(NamedTuple):
    """Two seats that share images."""

    first: int
    second: int
    shared: int


class Kappa(NamedTuple):
    """Mean Cohen's kappa over pairs, each weighted by the images it shares."""

    value: float
    samples: np.ndarray
    """(B,) resampled."""
    images: int
    pairs: int
    """Pairs of answers."""
    seats: int
    """Pairs of seats."""


def take_seats(answers: pd.DataFrame, n_images: int, n_classes: int) -> Seats:
    """Seats of answers with columns row (image number), annotator, class (number), round and time.

    Rounds are the repetitions. Asked again within a round, an annotator sees what somebody sent back from a cluster:
    only disputed images, which would pass for his inconsistency; the first answer counts.
    """
    ordered = answers.sort_values(["round", "time"], kind="stable").drop_duplicates(["annotator", "row", "round"])
    repetition = ordered.groupby(["annotator", "row"], sort=False).cumcount()
    seats = pd.MultiIndex.from_arrays([ordered["annotator"], repetition])
    numbers, names = pd.factorize(seats, sort=True)
    labels = np.full((n_images, len(names)), -1, np.int16)
    labels[ordered["row"].to_numpy(), numbers] = ordered["class"].to_numpy()
    return Seats(labels, tuple(name for name, _ in names), tuple(int(place) for _, place in names), n_classes)


def pairs_within(seats: Seats, annotator: str = "") -> list[Pair]:
    """Pairs of repetitions of the same annotator: of one, or of each."""
    same = [
        (first, second) for first, second in _together(seats.annotators) if annotator in ("", seats.annotators[first])
    ]
    return _shared(seats, same)


def pairs_between(seats: Seats) -> list[Pair]:
    """Pairs of annotators in the same repetition."""
    return _shared(seats, _together(seats.repetitions))


def _together(keys: tuple[str, ...] | tuple[int, ...]) -> Iterator[tuple[int, int]]:
    members: dict[object, list[int]] = {}
    for seat, key in enumerate(keys):
        members.setdefault(key, []).append(seat)
    for group in members.values():
        yield from combinations(group, 2)


def _shared(seats: Seats, wanted: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> list[Pair]:
    judged = (seats.labels >= 0).astype(np.float32)
    together = judged.T @ judged
    pairs = [Pair(first, second, int(together[first, second])) for first, second in wanted]
    pairs = [pair for pair in pairs if pair.shared >= FEWEST_SHARED]
    return sorted(pairs, key=lambda pair: -pair.shared)[:MOST_PAIRS]


def mean_kappa(seats: Seats, pairs: list[Pair], draws: Draws) -> Kappa:
    """Cohen's kappa of each pair (scikit-learn), averaged by shared images, with its resamples.

    Pairs whose kappa is undefined (both always gave the same single class) are left out.
    """
    kappas, kept = [], []
    for pair in pairs:
        kappa = cohen_kappa(count_pair(seats.labels[:, pair.first], seats.labels[:, pair.second], seats.n_classes))
        if np.isfinite(kappa):
            kappas.append(kappa)
            kept.append(pair)
    if not kept:
        return Kappa(float("nan"), np.full(draws.resamples, np.nan), 0, 0, 0)
    shared = [pair.shared for pair in kept]
    met = np.zeros(len(seats.labels), bool)
    for pair in kept:
        met |= (seats.labels[:, pair.first] >= 0) & (seats.labels[:, pair.second] >= 0)
    samples = _resample(seats, kept, draws)
    return Kappa(float(np.average(kappas, weights=shared)), samples, int(met.sum()), sum(shared), len(kept))


def _resample(seats: Seats, pairs: list[Pair], draws: Draws) -> np.ndarray:
    """(B,) resampled means; a pair whose kappa is undefined in a resample is left out of that one."""
    width = 2 + 2 * seats.n_classes
    step = max(1, _CHUNK // (len(seats.labels) * width))
    above = np.zeros(draws.resamples)
    below = np.zeros(draws.resamples)
    for start in range(0, len(pairs), step):
        chunk = pairs[start : start + step]
        statistics = np.concatenate(
            [pair_statistics(seats.labels[:, a], seats.labels[:, b], seats.n_classes) for a, b, _ in chunk], axis=1
        )
        sums = np.concatenate([weights @ statistics for weights in draws.weights()])
        shaped = sums.reshape(draws.resamples, len(chunk), width).astype(np.float64)
        kappas = kappa_of_sums(shaped)
        weights = np.where(np.isfinite(kappas), shaped[..., 0], 0)
        above += (weights * np.nan_to_num(kappas)).sum(1)
        below += weights.sum(1)
    with np.errstate(invalid="ignore"):
        means: np.ndarray = above / below
    return means
