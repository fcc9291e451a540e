"""What raw votes say of a lab's own agreement, before any proposal: no arms, no times, no truth."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.votes.counts import is_ambiguous, is_tied
from data.votes.reader import ROUND, count_votes
from relabel.agreement.between_arms import (
    ALL,
    ALPHA,
    BETWEEN,
    NEED_PAIRS,
    NEED_REPETITION,
    PERCENT,
    WITHIN,
    agreement_rows,
    fewer_draws,
    kappa_row,
)
from relabel.agreement.bootstrap import Draws, interval, resample_sums
from relabel.agreement.coefficients import agreement_of_sums, image_statistics
from relabel.agreement.pairs import mean_kappa, pairs_between, pairs_within, take_seats
from relabel.agreement.report_row import Measure, MeasureOptions, missing

IMAGES, CLASSES, ANNOTATORS = "Images", "Each class", "Each annotator"
TITLE = "Agreement of the votes"
MEANINGS = {
    IMAGES: "Disputed: not all votes on the image are for one class. Tied: several classes have most votes.",
    BETWEEN: "Do different people give the same answer? 1: all agree; 0: as by chance.",
    WITHIN: "Does one person give the same answer again? Pairs of repetitions of the same annotator.",
    CLASSES: "Krippendorff's alpha of one class against all others: a low one is not told apart from others.",
    ANNOTATORS: "How often another vote on the same image is the same, in per cent of the other votes.",
}
NEED_ANNOTATORS = "the table names no annotators for all votes; add a column annotator"


class RawVotes(NamedTuple):
    """N images, k classes."""

    counts: np.ndarray
    """(N, k) votes; each annotator's first one, where all are named."""
    classes: tuple[str, ...]
    answers: pd.DataFrame
    """Columns row, annotator, class, round, time: single votes of named annotators; empty where not all are named."""

    def describe(self, options: MeasureOptions) -> dict[str, str]:
        """What was measured, by name."""
        total = self.counts.sum(1)
        sizes = f"{total.min()} to {total.max()}" if total.min() < total.max() else str(total.min())
        named = self.answers["annotator"].nunique()
        return {
            "votes": f"{total.sum():,}, {sizes} an image",
            "images": f"{len(total):,}, {int((total > 1).sum()):,} of them with two votes or more",
            "annotators": str(named) if named else "not named for all votes",
            "classes": ", ".join(f"{name} {n:,}" for name, n in zip(self.classes, self.counts.sum(0), strict=True)),
            "intervals": f"95 %, bootstrap over images, {options.resamples} resamples, seed {options.seed}",
        }


def gather_raw(rows: pd.DataFrame) -> RawVotes:
    """Counts the votes of a table as `data.votes.reader.read_votes` gives it; raises InputError for faulty ones."""
    images = sorted(rows["image"].unique())
    counts, classes = count_votes(rows, images, all_voted=False)
    single = "votes" not in rows or bool((pd.to_numeric(rows["votes"]) == 1).all())
    if "annotator" not in rows or not single or (rows["annotator"].fillna("").str.strip() == "").any():
        return RawVotes(counts, classes, pd.DataFrame({"annotator": []}))
    answers = pd.DataFrame(
        {
            "row": pd.Index(images).get_indexer(rows["image"]),
            "annotator": rows["annotator"].to_numpy(),
            "class": pd.Index(classes).get_indexer(rows["label"]),
            "round": pd.to_numeric(rows[ROUND], errors="coerce").fillna(0).to_numpy() if ROUND in rows else 0,
            "time": 0,
        }
    )
    return RawVotes(take_seats(answers, len(images), len(classes)).counts(), classes, answers)


def measure_raw(raw: RawVotes, options: MeasureOptions) -> Iterator[Measure]:
    """Yields every figure that the votes allow, or the reason for its absence."""
    counts, draws = raw.counts, Draws(len(raw.counts), options.resamples, options.seed)
    for name, true in (("disputed", is_ambiguous(counts)), ("tied", is_tied(counts))):
        both = np.column_stack([true, np.ones(len(true))])
        yield _ratio(IMAGES, name, ALL, both, draws, images=len(true), pairs=0, answers=int(counts.sum()))
    yield from (sampled.measure for sampled in agreement_rows(counts, ALL, draws))
    if len(raw.answers):
        seats = take_seats(raw.answers, len(counts), len(raw.classes))
        fewer = fewer_draws(seats, draws)
        yield kappa_row(BETWEEN, ALL, mean_kappa(seats, pairs_between(seats), fewer), NEED_PAIRS).measure
        yield kappa_row(WITHIN, ALL, mean_kappa(seats, pairs_within(seats), fewer), NEED_REPETITION).measure
    for number, name in enumerate(raw.classes):
        yield _alpha_of_class(counts, number, name, draws)
    yield from _each_annotator(raw, draws)


def _alpha_of_class(counts: np.ndarray, number: int, name: str, draws: Draws) -> Measure:
    own = counts[:, number]
    statistics = image_statistics(np.column_stack([own, counts.sum(1) - own]))
    value = float(agreement_of_sums(statistics.sum(0, keepdims=True)).alpha[0])
    paired = counts.sum(1) > 1
    if not np.isfinite(value):
        return missing(CLASSES, ALPHA, name, "no image with two votes has it, or every vote is for it")
    low, high, why = interval(agreement_of_sums(resample_sums(statistics, draws)).alpha, int(paired.sum()))
    given = paired & (own > 0)
    return Measure(CLASSES, ALPHA, name, value, low, high, "", int(given.sum()), 0, int(own[given].sum()), why)


def _each_annotator(raw: RawVotes, draws: Draws) -> Iterator[Measure]:
    """Each annotator's agreement with the other votes on the same images."""
    if not len(raw.answers):
        yield missing(ANNOTATORS, PERCENT, ALL, NEED_ANNOTATORS, "%")
        return
    first = raw.answers.sort_values("round", kind="stable").drop_duplicates(["row", "annotator"])
    rows, labels = first["row"].to_numpy(), first["class"].to_numpy()
    same, others = raw.counts[rows, labels] - 1, raw.counts.sum(1)[rows] - 1
    for name, places in sorted(first.groupby("annotator").indices.items()):
        statistics = np.zeros((len(raw.counts), 2))
        statistics[rows[places]] = np.column_stack([same[places], others[places]])
        n = int((others[places] > 0).sum())
        yield _ratio(
            ANNOTATORS, PERCENT, str(name), statistics, draws, images=n, pairs=int(others[places].sum()), answers=n
        )


def _ratio(
    section: str, name: str, scope: str, statistics: np.ndarray, draws: Draws, *, images: int, pairs: int, answers: int
) -> Measure:
    """100 times the sum of the first of (N, 2) columns over that of the second, with its interval over images."""
    above, below = statistics.sum(0)
    if not below:
        return missing(section, name, scope, "no other vote on the same images", "%")
    sums = resample_sums(statistics, draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = 100 * sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    low, high, why = interval(samples, images)
    return Measure(section, name, scope, float(100 * above / below), low, high, "%", images, pairs, answers, why)
