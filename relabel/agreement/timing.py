"""Time per label: idle capped, the first task of a session left out, both arms measured alike."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from relabel.agreement.bootstrap import Draws, interval, resample_quantiles, resample_sums, weighted_centre
from relabel.agreement.evidence import Evidence
from relabel.agreement.report_row import Measure, MeasureOptions, missing

TIME = "Time per label"
MEDIAN, TRIMMED, COST = "median", "trimmed mean", "mean with all work"
RATIO = "control / proposal"
ARMS = ("proposal", "control")
CAP_FACTOR, CAP_QUANTILE = 3.0, 0.9
"""A fixed limit would cut large clusters and miss idle on easy images; three times the 90th percentile stays clear of
real work unless more than a tenth of the tasks were idle."""
NEED_TIME = "no times: the tool did not measure them (review page and Label Studio do)"


class Times(NamedTuple):
    """One row per image, annotator and round: all the time spent until it had its label."""

    row: np.ndarray
    """(T,) image numbers."""
    seconds: np.ndarray
    """(T,) capped."""
    is_labelled: np.ndarray
    """(T,) False where the time ended without a label: excluded or skipped, and not judged again."""
    is_capped: np.ndarray
    """(T,) True where some task was longer than the cap."""
    arm: np.ndarray
    """(T,) proposal or control."""
    caps: dict[str, float]
    """Cap in seconds by kind of task: image, cluster."""
    n_first: int
    """Tasks left out as the first of their session."""
    n_untimed: int
    """Answers without a time."""


def take_times(evidence: Evidence, options: MeasureOptions) -> Times:
    """Times of all answers. A cluster is one task; its capped time is shared by its members."""
    timed = evidence.answers[np.isfinite(evidence.answers["seconds"])].copy()
    n_untimed = len(evidence.answers) - len(timed)
    if not len(timed):
        none = np.empty(0)
        return Times(none.astype(int), none, none.astype(bool), none.astype(bool), none.astype(str), {}, 0, n_untimed)
    timed["task"] = _number_tasks(timed)
    tasks = timed.groupby("task").agg(
        annotator=("annotator", "first"), unit=("unit", "first"), time=("time", "max"), seconds=("seconds", "sum")
    )
    tasks["first"] = _is_first(tasks, options.session_minutes)
    kept = tasks[~tasks["first"]]
    caps = {unit: options.cap_seconds or _default_cap(group["seconds"]) for unit, group in kept.groupby("unit")}
    cap = kept["unit"].map(caps).astype(float)
    share = (cap / kept["seconds"].where(kept["seconds"] > 0, 1.0)).clip(upper=1.0)
    timed["seconds"] *= timed["task"].map(share)
    timed["capped"] = timed["task"].map(kept["seconds"] > cap).eq(True)
    # an image of which one task was left out would look cheaper than it was
    timed["lost"] = timed["seconds"].isna()
    spent = timed.groupby(["row", "annotator", "round", "arm"]).agg(
        seconds=("seconds", "sum"), labelled=("is_vote", "any"), capped=("capped", "any"), lost=("lost", "any")
    )
    spent = spent[~spent["lost"]].reset_index()
    return Times(
        row=spent["row"].to_numpy(),
        seconds=spent["seconds"].to_numpy(),
        is_labelled=spent["labelled"].to_numpy(dtype=bool),
        is_capped=spent["capped"].to_numpy(dtype=bool),
        arm=spent["arm"].to_numpy(dtype=str),
        caps=caps,
        n_first=int(tasks["first"].sum()),
        n_untimed=n_untimed,
    )


def _number_tasks(timed: pd.DataFrame) -> np.ndarray:
    """(A,) number of the task of each answer: a single image, or a cluster by one annotator in one round."""
    alone = timed["unit"] == "image"
    keys = timed[["annotator", "round", "tool", "model_version", "cluster"]].assign(
        single=np.where(alone, np.arange(len(timed)), -1)
    )
    return keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()


def _is_first(tasks: pd.DataFrame, session_minutes: float) -> pd.Series:
    """Whether a task is the annotator's first after a pause: reading the instructions is no labelling."""
    ordered = tasks.sort_values(["annotator", "time"], kind="stable")
    started = ordered["time"] - pd.to_timedelta(ordered["seconds"], unit="s")
    pause = started - ordered.groupby("annotator")["time"].shift()
    first = pause.isna() | (pause > pd.Timedelta(minutes=session_minutes))
    return first.reindex(tasks.index)


def _default_cap(seconds: pd.Series) -> float:
    return CAP_FACTOR * float(seconds.quantile(CAP_QUANTILE))


def measure_times(times: Times, draws: Draws) -> Iterator[Measure]:
    """Yields the time per label in each arm, and how many times longer the control arm takes.

    `mean with all work` is all time of the arm over its labels: also the time that ended without a label.
    """
    draws = draws.at_most(len(times.seconds))
    found: dict[str, dict[str, tuple[Measure, np.ndarray]]] = {}
    for arm in ARMS:
        found[arm] = {measure.name: (measure, samples) for measure, samples in _measure_arm(times, arm, draws)}
        yield from (measure for measure, _ in found[arm].values())
    for name in (MEDIAN, TRIMMED, COST):
        (first, one), (second, other) = found["proposal"][name], found["control"][name]
        lost = [f"{measure.scope} arm: {measure.note}" for measure in (first, second) if measure.is_missing]
        if lost or not first.value:
            yield missing(TIME, name, RATIO, "; ".join(lost) or "the proposal arm's time is 0")
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high, why = interval(other / one, min(first.images, second.images))
        images, answers = first.images + second.images, first.answers + second.answers
        yield Measure(TIME, name, RATIO, second.value / first.value, low, high, "", images, 0, answers, why)


def _measure_arm(times: Times, arm: str, draws: Draws) -> Iterator[tuple[Measure, np.ndarray]]:
    chosen = times.arm == arm
    labelled = chosen & times.is_labelled
    seconds, rows = times.seconds[labelled], times.row[labelled]
    nothing = np.full(draws.resamples, np.nan)
    if not len(seconds):
        reason = f"no timed label in the arm {arm} beside the first task of a session" if len(times.row) else NEED_TIME
        for name in (MEDIAN, TRIMMED, COST):
            yield missing(TIME, name, arm, reason, "s"), nothing
        return
    order = np.argsort(seconds, kind="stable")
    median, trimmed = weighted_centre(seconds[order], np.ones(len(seconds)))
    medians, means = resample_quantiles(seconds, rows, draws)
    sums = np.zeros((draws.n_images, 2))
    np.add.at(sums[:, 0], times.row[chosen], times.seconds[chosen])
    np.add.at(sums[:, 1], rows, 1)
    drawn = resample_sums(sums, draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        costs = drawn[:, 0] / drawn[:, 1]
    n_images, n_capped = len(np.unique(rows)), int(times.is_capped[chosen].sum())
    unlabelled = int((chosen & ~times.is_labelled).sum())
    for name, value, samples, note in (
        (MEDIAN, median, medians, f"{n_capped} capped"),
        (TRIMMED, trimmed, means, "10 % off either end"),
        (COST, float(sums[:, 0].sum() / len(seconds)), costs, f"with {unlabelled} time(s) that ended without a label"),
    ):
        low, high, why = interval(samples, n_images)
        text = "; ".join(part for part in (note, why) if part)
        yield Measure(TIME, name, arm, value, low, high, "s", n_images, 0, len(seconds), text), samples
