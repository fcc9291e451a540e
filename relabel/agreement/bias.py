"""Confirmation bias d: how much likelier a class becomes by being proposed (CleverLabel, arXiv 2305.12811).

Acceptance A = d + (0.99 - d) p, p the share that would give the class without a proposal; so A - 0.99 p = d (1 - p).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from relabel.agreement.bootstrap import Draws, interval, resample_sums
from relabel.agreement.evidence import Evidence
from relabel.agreement.measure import Measure, missing
from relabel.agreement.proposals import NEED_SHOWN, shown_answers

BIAS, NAME = "Confirmation bias", "d"
FULL_ACCEPTANCE = 0.99
MOST_P = 0.95
"""An image that all would label as proposed says nothing of d."""
FEWEST_FREE = 10
"""Answers without proposal that an image needs for a p of its own."""
FEWEST_ANSWERS = 20
FEWEST_DOUBTS = 5.0
"""Sum of 1 - p below which d is all noise."""


class Terms(NamedTuple):
    """One row an answer; d is the sum of the first over the sum of the second."""

    row: np.ndarray
    """(T,) image numbers."""
    above: np.ndarray
    below: np.ndarray
    is_shown: np.ndarray
    """(T,) True for answers given with a proposal."""
    annotator: np.ndarray
    proposed: np.ndarray
    """(T,) class numbers."""
    unit: np.ndarray
    """(T,) image or cluster; empty for control answers."""
    method: str


def free_counts(evidence: Evidence) -> np.ndarray:
    """(N, k) answers given without a proposal: raw votes of before and the control arm's."""
    counts = evidence.votes.copy()
    control = evidence.labels[evidence.labels["arm"] == "control"]
    np.add.at(counts, (control["row"].to_numpy(), control["class"].to_numpy()), 1)
    return counts


def take_terms(evidence: Evidence) -> Terms | str:
    """The terms of d by the method that the answers allow, or why neither is possible.

    Least squares over images where at least half of the answers are on images with ten answers without proposal;
    else the means of the two arms, which are comparable because the arms were dealt at random.
    """
    shown = shown_answers(evidence)
    shown = shown[shown["outcome"] != "skipped"]
    if not len(shown):
        return NEED_SHOWN
    free = free_counts(evidence)
    known = free.sum(1)[shown["row"].to_numpy()] >= FEWEST_FREE
    if known.mean() >= 0.5:
        return _least_squares(shown[known], free)
    labels = evidence.labels
    control = labels[(labels["arm"] == "control") & (labels["proposed"] >= 0)]
    if not len(control):
        return (
            f"neither --votes with {FEWEST_FREE} answers an image nor a control arm tell what would have been answered "
            "without a proposal"
        )
    return _arm_means(shown, control)


def _least_squares(shown: pd.DataFrame, free: np.ndarray) -> Terms:
    """Minimises the sum of (A - 0.99 p - d (1 - p))^2 over answers.

    p is measured from m answers, x of them as proposed; the products p (1 - p) and (1 - p)^2 are estimated without
    bias (x (m - x) and (m - x)(m - x - 1) over m (m - 1)), else the noise of p would pull d down.
    """
    rows, proposed = shown["row"].to_numpy(), shown["proposed"].to_numpy()
    m = free.sum(1)[rows].astype(float)
    x = free[rows, proposed].astype(float)
    accepted = (shown["outcome"] == "accepted").to_numpy(dtype=float)
    above = accepted * (1 - x / m) - FULL_ACCEPTANCE * x * (m - x) / (m * (m - 1))
    below = (m - x) * (m - x - 1) / (m * (m - 1))
    telling = x / m < MOST_P
    return Terms(
        rows[telling],
        above[telling],
        below[telling],
        np.ones(int(telling.sum()), bool),
        shown["annotator"].to_numpy()[telling],
        proposed[telling],
        shown["unit"].to_numpy()[telling],
        f"least squares over images with p < {MOST_P}, p from {int(m.min())} to {int(m.max())} answers each",
    )


def _arm_means(shown: pd.DataFrame, control: pd.DataFrame) -> Terms:
    """d = (A - 0.99 p) / (1 - p), A the mean acceptance and p the control arm's mean share of what was proposed."""
    accepted = (shown["outcome"] == "accepted").to_numpy(dtype=float)
    as_proposed = (control["class"] == control["proposed"]).to_numpy(dtype=float)
    both = pd.concat([shown, control])
    is_shown = np.arange(len(both)) < len(shown)
    return Terms(
        both["row"].to_numpy(),
        np.concatenate([accepted, as_proposed]),
        np.ones(len(both)),
        is_shown,
        both["annotator"].to_numpy(),
        both["proposed"].to_numpy(),
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
    by_unit = ("image", "cluster") if terms.method.startswith("least") and len(set(terms.unit)) > 1 else ()
    for unit in by_unit:
        yield _measure(terms, terms.unit == unit, f"{unit}s", draws)
    for name in sorted(set(terms.annotator[terms.is_shown])):
        yield _measure(terms, terms.annotator == name, f"annotator {name}", draws)
    for number in sorted(set(terms.proposed[terms.is_shown])):
        yield _measure(terms, terms.proposed == number, f"class {evidence.classes[number]}", draws)


def _measure(terms: Terms, chosen: np.ndarray, scope: str, draws: Draws) -> Measure:
    sums = np.zeros((draws.n_images, 4))
    for column, mask in ((0, chosen & terms.is_shown), (2, chosen & ~terms.is_shown)):
        np.add.at(sums[:, column], terms.row[mask], terms.above[mask])
        np.add.at(sums[:, column + 1], terms.row[mask], terms.below[mask])
    n_shown, n_control = int((chosen & terms.is_shown).sum()), int((chosen & ~terms.is_shown).sum())
    means = terms.method.startswith("means")
    reason = _why_not(sums.sum(0), n_shown, n_control, means)
    if reason:
        return missing(BIAS, NAME, scope, reason)
    solve = _solve_means if means else _solve_squares
    n_images = int((sums[:, 1] > 0).sum())
    if means:
        n_images = min(n_images, int((sums[:, 3] > 0).sum()))
    low, high, why = interval(solve(resample_sums(sums, draws)), n_images)
    note = "; ".join(part for part in (terms.method, why) if part)
    images = int((sums[:, [1, 3]] > 0).any(1).sum())
    value = float(solve(sums.sum(0, keepdims=True))[0])
    return Measure(BIAS, NAME, scope, value, low, high, "", images, 0, n_shown + n_control, note)


def _why_not(total: np.ndarray, n_shown: int, n_control: int, means: bool) -> str:
    if n_shown < FEWEST_ANSWERS:
        return f"{n_shown} telling answer(s) to a proposal, at least {FEWEST_ANSWERS} are needed"
    if means and n_control < FEWEST_ANSWERS:
        return f"{n_control} control answer(s), at least {FEWEST_ANSWERS} are needed; or give --votes"
    doubts = n_control - total[2] if means else total[1]
    if doubts < FEWEST_DOUBTS:
        return "without a proposal nearly all give the proposed class: only deliberately wrong proposals would tell"
    return ""


def _solve_squares(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        d: np.ndarray = sums[:, 0] / sums[:, 1]
    return d


def _solve_means(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        acceptance, p = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]
        d: np.ndarray = (acceptance - FULL_ACCEPTANCE * p) / (1 - p)
    return d
