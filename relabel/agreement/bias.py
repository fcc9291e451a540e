"""Confirmation bias d: how much likelier a class becomes by being proposed (CleverLabel, arXiv 2305.12811).

By the model of `relabel.acceptance` A - 0.99 p = d (1 - p), p the share that would give the class without a proposal.
Who ignores proposals altogether has A = p, not 0.99 p, and no answers tell whether the 0.99 holds for these people: the
lower end of an interval is taken with 1, the upper with 0.99.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from relabel.acceptance import FULL_ACCEPTANCE, bias
from relabel.agreement.bootstrap import Draws, interval, resample_sums
from relabel.agreement.evidence import Evidence
from relabel.agreement.offers import offered_answers
from relabel.agreement.proposal_effect import NEED_SHOWN, why_lost
from relabel.agreement.report_row import Measure, missing

BIAS, NAME = "Confirmation bias", "d"
WITHOUT_SLIPS = 1.0
MOST_P = 0.95
"""An image that all would label as proposed says nothing of d."""
FEWEST_FREE = 10
"""Answers without proposal that an image needs for a p of its own."""
FEWEST_ANSWERS = 20
FEWEST_DOUBTS = 5.0
"""Sum of 1 - p below which d is all noise."""


class Terms(NamedTuple):
    """One row an answer; the sums of accepted, of free and of below over the answers make d (`_solve`)."""

    row: np.ndarray
    """(T,) image numbers."""
    accepted: np.ndarray
    """(T,) A in the proposal arm, by least squares times 1 - p; 0 in the control arm."""
    free: np.ndarray
    """(T,) p in the control arm, by least squares p (1 - p) of an answer of the proposal arm; else 0."""
    below: np.ndarray
    """(T,) 1 an answer, by least squares (1 - p)^2."""
    is_shown: np.ndarray
    """(T,) True for the proposal arm."""
    annotator: np.ndarray
    offered: np.ndarray
    """(T,) class numbers."""
    unit: np.ndarray
    """(T,) image or cluster; empty for control answers."""
    method: str

    @property
    def by_means(self) -> bool:
        """Whether the arms' means are compared, not each image with its own p."""
        return bool((~self.is_shown).any())


def free_counts(evidence: Evidence) -> np.ndarray:
    """(N, k) answers given without a proposal: raw votes of before and the control arm's."""
    counts = evidence.votes.copy()
    control = evidence.labels[evidence.labels["arm"] == "control"]
    np.add.at(counts, (control["row"].to_numpy(), control["class"].to_numpy()), 1)
    return counts


def take_terms(evidence: Evidence) -> Terms | str:
    """The terms of d by the method that the answers allow, or why neither is possible.

    Least squares over images where at least half of the answers are on images with ten answers without proposal;
    else the means of the two arms, which are comparable because the arms were dealt at random, and because an answer
    counts by what its image was offered, in view or not.
    """
    dealt = offered_answers(evidence.answers)
    lost = why_lost(dealt, dealt["accepted"].isna())
    told = dealt[dealt["accepted"].notna()]
    shown, control = told[told["arm"] == "proposal"], told[told["arm"] == "control"]
    if lost or not len(shown):
        return lost or NEED_SHOWN
    free = free_counts(evidence)
    known = free.sum(1)[shown["row"].to_numpy()] >= FEWEST_FREE
    if known.mean() >= 0.5:
        return _least_squares(shown[known], free)
    if not len(control):
        return (
            f"neither --votes with {FEWEST_FREE} answers an image nor a control arm tell what would have been answered "
            "without a proposal"
        )
    return _arm_means(shown, control)


def _least_squares(shown: pd.DataFrame, free: np.ndarray) -> Terms:
    """Minimises the sum of (A - 0.99 p - d (1 - p))^2 over answers.

    p is measured from m answers, x of them as offered; the products p (1 - p) and (1 - p)^2 are estimated without
    bias (x (m - x) and (m - x)(m - x - 1) over m (m - 1)), else the noise of p would pull d down.
    """
    rows, offered = shown["row"].to_numpy(), shown["offered"].to_numpy()
    m = free.sum(1)[rows].astype(float)
    x = free[rows, offered].astype(float)
    telling = x / m < MOST_P
    return Terms(
        rows[telling],
        (shown["accepted"].to_numpy() * (1 - x / m))[telling],
        (x * (m - x) / (m * (m - 1)))[telling],
        ((m - x) * (m - x - 1) / (m * (m - 1)))[telling],
        np.ones(int(telling.sum()), bool),
        shown["annotator"].to_numpy()[telling],
        offered[telling],
        shown["unit"].to_numpy()[telling],
        f"least squares over images with p < {MOST_P}, p from {int(m.min())} to {int(m.max())} answers each",
    )


def _arm_means(shown: pd.DataFrame, control: pd.DataFrame) -> Terms:
    """d = (A - 0.99 p) / (1 - p), A the mean acceptance and p the control arm's mean share of what was offered."""
    both = pd.concat([shown, control])
    is_shown = np.arange(len(both)) < len(shown)
    as_offered = both["accepted"].to_numpy()
    return Terms(
        both["row"].to_numpy(),
        np.where(is_shown, as_offered, 0.0),
        np.where(is_shown, 0.0, as_offered),
        np.ones(len(both)),
        is_shown,
        both["annotator"].to_numpy(),
        both["offered"].to_numpy(),
        np.where(is_shown, both["unit"], ""),
        "means of the two arms",
    )


def measure_bias(evidence: Evidence, draws: Draws) -> Iterator[Measure]:
    """Yields d over all answers, by unit, by annotator, and by proposed class."""
    terms = take_terms(evidence)
    if isinstance(terms, str):
        yield missing(BIAS, NAME, "all", terms)
        return
    yield _measure(terms, np.ones(len(terms.row), bool), "all", draws)
    for unit in ("image", "cluster") if not terms.by_means and len(set(terms.unit)) > 1 else ():
        yield _measure(terms, terms.unit == unit, f"{unit}s", draws)
    for name in sorted(set(terms.annotator[terms.is_shown])):
        yield _measure(terms, terms.annotator == name, f"annotator {name}", draws)
    for number in sorted(set(terms.offered[terms.is_shown])):
        yield _measure(terms, terms.offered == number, f"class {evidence.classes[number]}", draws)


def _measure(terms: Terms, chosen: np.ndarray, scope: str, draws: Draws) -> Measure:
    """Sums of each image: accepted, free and below of the proposal arm, free and answers of the control arm."""
    sums = np.zeros((draws.n_images, 5))
    shown, control = chosen & terms.is_shown, chosen & ~terms.is_shown
    for column, mask, values in (
        (0, shown, terms.accepted),
        (1, shown, terms.free),
        (2, shown, terms.below),
        (3, control, terms.free),
        (4, control, terms.below),
    ):
        np.add.at(sums[:, column], terms.row[mask], values[mask])
    n_shown, n_control = int(shown.sum()), int(control.sum())
    reason = _why_not(sums.sum(0), n_shown, n_control, terms.by_means)
    if reason:
        return missing(BIAS, NAME, scope, reason)
    n_images = int((sums[:, 2] > 0).sum())
    if terms.by_means:
        n_images = min(n_images, int((sums[:, 4] > 0).sum()))
    drawn = resample_sums(sums, draws)
    low, _, why = interval(_solve(drawn, terms.by_means, WITHOUT_SLIPS), n_images)
    _, high, _ = interval(_solve(drawn, terms.by_means, FULL_ACCEPTANCE), n_images)
    note = "; ".join(part for part in (terms.method, why) if part)
    images = int((sums[:, [2, 4]] > 0).any(1).sum())
    value = float(_solve(sums.sum(0, keepdims=True), terms.by_means, FULL_ACCEPTANCE)[0])
    return Measure(BIAS, NAME, scope, value, low, high, "", images, 0, n_shown + n_control, note)


def _why_not(total: np.ndarray, n_shown: int, n_control: int, means: bool) -> str:
    if n_shown < FEWEST_ANSWERS:
        return f"{n_shown} telling answer(s) to a proposal, at least {FEWEST_ANSWERS} are needed"
    if means and n_control < FEWEST_ANSWERS:
        return f"{n_control} control answer(s), at least {FEWEST_ANSWERS} are needed; or give --votes"
    doubts = n_control - total[3] if means else total[2]
    if doubts < FEWEST_DOUBTS:
        return "without a proposal nearly all give the proposed class: only deliberately wrong proposals would tell"
    return ""


def _solve(sums: np.ndarray, means: bool, full_acceptance: float) -> np.ndarray:
    """(B,) d of (B, 5) sums."""
    accepted, free, below, free_control, answers_control = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        if means:
            return bias(accepted / below, free_control / answers_control, full_acceptance)
        # least squares: the formula's numerator and denominator, each times 1 - p, summed
        d: np.ndarray = (accepted - full_acceptance * free) / below
    return d
