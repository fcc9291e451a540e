"""Agreement in each arm, of the votes of before, and the difference of the arms."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from relabel.agreement.bootstrap import Draws, interval, resample_sums
from relabel.agreement.coefficients import Agreement, agreement_of_sums, image_statistics
from relabel.agreement.evidence import Evidence
from relabel.agreement.pairs import FEWEST_SHARED, Kappa, Seats, mean_kappa, pairs_between, pairs_within, take_seats
from relabel.agreement.report_row import Measure, MeasureOptions, missing

BETWEEN, WITHIN = "Between annotators", "Within annotators"
ALPHA, FLEISS, PERCENT, COHEN = "Krippendorff's alpha", "Fleiss' kappa", "raw agreement", "Cohen's kappa"
ALL, PROPOSAL, CONTROL, BEFORE, DIFFERENCE = "all", "proposal", "control", "votes before", "proposal - control"
NEED_TWO = "no image has answers of two annotators; let at least two judge the same images"
NEED_REPETITION = (
    f"no annotator judged {FEWEST_SHARED} images twice; show some images to the same annotator again in a later round"
)
NEED_PAIRS = f"no two annotators share {FEWEST_SHARED} images with more than one class; let them judge the same images"
NEED_CONTROL = "no answers in the arm {}; `dc3 propose` sets a control arm of 10 % aside and has both judged"


class Sampled(NamedTuple):
    """A figure with its resamples, kept for the difference of the arms."""

    measure: Measure
    samples: np.ndarray


def measure_agreement(evidence: Evidence, options: MeasureOptions) -> Iterator[Measure]:
    """Yields all coefficients: of all answers, of each arm, their difference, and of the raw votes."""
    draws = evidence.draws(options)
    found: dict[tuple[str, str, str], Sampled] = {}
    for scope in (ALL, PROPOSAL, CONTROL):
        for sampled in _measure_scope(evidence, scope, draws):
            found[sampled.measure.section, sampled.measure.name, scope] = sampled
            yield sampled.measure
    if evidence.votes.any():
        yield from (sampled.measure for sampled in agreement_rows(evidence.votes, BEFORE, draws))
    names = dict.fromkeys((section, name) for section, name, _ in found)
    for section, name in names:
        yield _difference(
            section,
            name,
            found.get((section, name, PROPOSAL)),
            found.get((section, name, CONTROL)),
            evidence.n_in_both_arms,
        )
    yield from _each_annotator(evidence, draws)


def _measure_scope(evidence: Evidence, scope: str, draws: Draws) -> Iterator[Sampled]:
    labels = evidence.labels[evidence.labels["is_dealt"]]
    answers = labels if scope == ALL else labels[labels["arm"] == scope]
    if not len(answers):
        reason = NEED_CONTROL.format(scope)
        for section, name in (*((BETWEEN, name) for name in (ALPHA, FLEISS, PERCENT, COHEN)), (WITHIN, COHEN)):
            yield Sampled(missing(section, name, scope, reason), np.full(draws.resamples, np.nan))
        return
    seats = take_seats(answers, len(evidence.images), len(evidence.classes))
    yield from agreement_rows(seats.counts(), scope, draws)
    yield kappa_row(BETWEEN, scope, mean_kappa(seats, pairs_between(seats), fewer_draws(seats, draws)), NEED_PAIRS)
    yield kappa_row(WITHIN, scope, mean_kappa(seats, pairs_within(seats), fewer_draws(seats, draws)), NEED_REPETITION)


def fewer_draws(seats: Seats, draws: Draws) -> Draws:
    """Resamples of pairs: with many annotators there are far more pairs of answers than answers."""
    n_seats = seats.labels.shape[1]
    return draws._replace(resamples=200) if n_seats > 16 else draws


def agreement_rows(counts: np.ndarray, scope: str, draws: Draws) -> Iterator[Sampled]:
    """Alpha, Fleiss' kappa and raw agreement of (N, k) counts, each with its interval or the reason for its absence."""
    statistics = image_statistics(counts)
    point = agreement_of_sums(statistics.sum(0, keepdims=True))
    total = counts.sum(1)
    total = total[total >= 2]
    nothing = Agreement(*[np.full(draws.resamples, np.nan)] * 3)
    resampled = agreement_of_sums(resample_sums(statistics, draws)) if len(total) else nothing
    unequal = "unequal numbers of answers: alpha is the better figure" if len(set(total.tolist())) > 1 else ""
    n_pairs = int((total * (total - 1) // 2).sum())
    for name, value, drawn, unit, note in (
        (ALPHA, point.alpha, resampled.alpha, "", ""),
        (FLEISS, point.fleiss, resampled.fleiss, "", unequal),
        (PERCENT, point.percent, resampled.percent, "%", ""),
    ):
        if not np.isfinite(value[0]):
            reason = "all answers are of one class, so chance agreement is 1" if len(total) else NEED_TWO
            yield Sampled(missing(BETWEEN, name, scope, reason, unit), drawn)
            continue
        low, high, why = interval(drawn, len(total))
        text = "; ".join(part for part in (note, why) if part)
        numbers = (len(total), n_pairs, int(total.sum()))
        yield Sampled(Measure(BETWEEN, name, scope, float(value[0]), low, high, unit, *numbers, text), drawn)


def kappa_row(section: str, scope: str, kappa: Kappa, need: str) -> Sampled:
    """A mean of Cohen's kappas as a row; `need` says what lacks where there is none."""
    if not kappa.seats:
        return Sampled(missing(section, COHEN, scope, need), kappa.samples)
    low, high, why = interval(kappa.samples, kappa.images)
    what = "repetitions" if section == WITHIN else "annotators"
    note = "; ".join(part for part in (f"mean of {kappa.seats} pair(s) of {what}, by shared images", why) if part)
    numbers = (kappa.images, kappa.pairs, 2 * kappa.pairs)
    return Sampled(Measure(section, COHEN, scope, kappa.value, low, high, "", *numbers, note), kappa.samples)


def _difference(section: str, name: str, proposal: Sampled | None, control: Sampled | None, n_both: int) -> Measure:
    assert proposal is not None
    assert control is not None
    first, second = proposal.measure, control.measure
    lost = [f"{measure.scope} arm: {measure.note}" for measure in (first, second) if measure.is_missing]
    if lost:
        return missing(section, name, DIFFERENCE, "; ".join(lost), first.unit)
    n = min(len(proposal.samples), len(control.samples))
    low, high, why = interval(proposal.samples[:n] - control.samples[:n], min(first.images, second.images))
    return Measure(
        section,
        name,
        DIFFERENCE,
        first.value - second.value,
        low,
        high,
        first.unit,
        images=first.images + second.images - n_both,
        pairs=first.pairs + second.pairs,
        answers=first.answers + second.answers,
        note="; ".join(part for part in (f"{n_both} image(s) in both arms", why) if part),
    )


def _each_annotator(evidence: Evidence, draws: Draws) -> Iterator[Measure]:
    """Each annotator's kappa over repetitions, where there is more than one annotator."""
    names = sorted(evidence.labels["annotator"].unique())
    seats = take_seats(evidence.labels[evidence.labels["is_dealt"]], len(evidence.images), len(evidence.classes))
    repeats = {name for name, place in zip(seats.annotators, seats.repetitions, strict=True) if place}
    for name in names if len(names) > 1 and repeats else []:
        kappa = mean_kappa(seats, pairs_within(seats, name), draws)
        yield kappa_row(WITHIN, f"annotator {name}", kappa, NEED_REPETITION).measure
