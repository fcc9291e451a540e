"""The pictures of the agreement report."""

import textwrap
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relabel.agreement.between_arms import BEFORE, BETWEEN, CONTROL, PERCENT, PROPOSAL, WITHIN
from relabel.agreement.bias import BIAS
from relabel.agreement.evidence import Evidence
from relabel.agreement.proposal_effect import shown_answers
from relabel.agreement.report_row import Measure
from relabel.agreement.timing import Times
from web.canvas import GREY, new_figure, plain

COLOURS = {PROPOSAL: "#d95f02", CONTROL: "#1f77b4", BEFORE: "#666666"}
CAPTIONS = {
    "agreement": "Agreement in each arm, with 95 % intervals over images. 1: all agree; 0: as by chance.",
    "time": "Time per label in each arm; dark: answers with a task that was cut at the cap.",
    "confusion": "Classes proposed (rows) and what annotators answered (columns).",
    "bias": "Confirmation bias d with 95 % intervals: 0 means a proposal changes nothing, 0.99 that all is accepted.",
}
NO_CLASS = {"excluded": "(taken out)", "skipped": "(unsure)"}
MOST_COUNTS = 30


def agreement_figures(evidence: Evidence, times: Times, measures: list[Measure]) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure of all that has something to show."""
    coefficients = [one for one in _drawn(measures) if one.section in (BETWEEN, WITHIN) and one.name != PERCENT]
    coefficients = [one for one in coefficients if one.scope in COLOURS]
    if coefficients:
        yield "agreement", draw_agreement(coefficients)
    if len(times.seconds):
        yield "time", draw_times(times)
    if len(shown_answers(evidence)):
        yield "confusion", draw_answers(evidence)
    biases = [one for one in _drawn(measures) if one.section == BIAS]
    if biases:
        yield "bias", draw_bias(biases)


def _drawn(measures: list[Measure]) -> list[Measure]:
    return [measure for measure in measures if not measure.is_missing]


def draw_agreement(measures: list[Measure]) -> Figure:
    """Each coefficient as a group of dots with whiskers, one an arm."""
    groups = list(dict.fromkeys((one.section, one.name) for one in measures))
    height = 0.85 * len(groups) + 1.3
    figure = new_figure(8.5, height)
    axes = figure.add_axes((0.31, 0.6 / height, 0.66, 1 - 1.1 / height))
    for one in measures:
        place = groups.index((one.section, one.name)) + 0.22 * (list(COLOURS).index(one.scope) - 1)
        _dot(axes, one, place, COLOURS[one.scope])
    for scope in dict.fromkeys(one.scope for one in measures):
        axes.plot([], [], "o", color=COLOURS[scope], label=scope if scope == BEFORE else f"{scope} arm")
    axes.set_yticks(range(len(groups)), [f"{name}\n{section.lower()}" for section, name in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlim(min(0.0, *(np.nanmin([one.value, one.low]) for one in measures)) - 0.02, 1.08)
    axes.set_xlabel("agreement beyond chance")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="upper right", ncols=3, frameon=False)
    return figure


def _dot(axes: Axes, measure: Measure, place: float, colour: str) -> None:
    axes.plot([measure.low, measure.high], [place, place], color=colour, linewidth=2)
    axes.plot([measure.value], [place], "o", color=colour)
    right = np.nanmax([measure.value, measure.high])
    axes.annotate(f"{measure.value:.2f}", (right, place), (4, 0), textcoords="offset points", va="center", size=9)


def draw_times(times: Times) -> Figure:
    """Histograms of the time per label, one panel an arm, as per cent of its labels."""
    arms = [arm for arm in (PROPOSAL, CONTROL) if ((times.arm == arm) & times.is_labelled).any()]
    figure = new_figure(8.5, 2.1 * max(len(arms), 1) + 0.9)
    if not arms:
        figure.text(0.5, 0.5, "no label with a time", ha="center")
        return figure
    limit = float(times.seconds[times.is_labelled].max())
    edges = np.linspace(0, max(limit, 1e-9), 61)
    panels = figure.subplots(len(arms), 1, sharex=True, squeeze=False, gridspec_kw={"hspace": 0.3})[:, 0]
    for axes, arm in zip(panels, arms, strict=True):
        chosen = (times.arm == arm) & times.is_labelled
        seconds, capped = times.seconds[chosen], times.is_capped[chosen]
        share = np.full(len(seconds), 100 / len(seconds))
        stacks = ([seconds[~capped], seconds[capped]], [share[~capped], share[capped]])
        names = [f"{arm} arm, {len(seconds)} labels", f"{int(capped.sum())} capped"]
        axes.hist(stacks[0], edges, weights=stacks[1], stacked=True, color=[COLOURS[arm], "black"], label=names)
        median = float(np.median(seconds))
        axes.axvline(median, color="0.2", linestyle="--", linewidth=1)
        axes.annotate(
            f"median {median:.2f} s", (median, 0.9), (5, 0), axes.get_xaxis_transform(), "offset points", size=9
        )
        axes.margins(y=0.25)
        axes.set_ylabel("% of labels")
        axes.legend(loc="upper right", frameon=False)
    panels[-1].set_xlim(0, None)
    panels[-1].set_xlabel("seconds until the image had its label")
    return figure


def draw_answers(evidence: Evidence) -> Figure:
    """Proposed class in rows, answer in columns with those that gave none; coloured by the share of the row."""
    shown = shown_answers(evidence)
    k = len(evidence.classes)
    column = np.where(shown["outcome"] == "excluded", k, np.where(shown["outcome"] == "skipped", k + 1, shown["class"]))
    counts = np.zeros((k, k + 2), np.int64)
    np.add.at(counts, (shown["proposed"].to_numpy(), column.astype(int)), 1)
    names = [plain(name, 18) for name in evidence.classes]
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = max(2.4, min(0.52, 12 / k) * k)
    width, height = side * (k + 2) / k + 3.4, side + 2.2
    figure = new_figure(width, height)
    axes = figure.add_axes((2.0 / width, 1.5 / height, side * (k + 2) / k / width, side / height))
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = 9 if k <= 20 else 6
    axes.set_xticks(range(k + 2), [*names, *NO_CLASS.values()], rotation=90, size=size)
    labels = [f"{name} ({n})" for name, n in zip(names, counts.sum(1), strict=True)]
    axes.set_yticks(range(k), labels, size=size)
    axes.axvline(k - 0.5, color="0.4", linewidth=1)
    axes.set_xlabel("answer")
    axes.set_ylabel("proposal (times shown)")
    if k <= MOST_COUNTS:
        for row, place in zip(*np.nonzero(counts), strict=True):
            colour = "white" if share[row, place] > 0.5 else "black"
            digits = len(str(counts[row, place]))
            small = size - max(0, digits - 3)
            axes.text(place, row, counts[row, place], size=small, ha="center", va="center", color=colour)
    figure.colorbar(picture, ax=axes, fraction=0.04, pad=0.03).set_label("share of the row")
    accepted = float((shown["outcome"] == "accepted").mean())
    axes.set_title(f"{len(shown)} answers to a proposal, {accepted:.1%} accepted", size=11)
    return figure


def draw_bias(measures: list[Measure]) -> Figure:
    """d of all, of each annotator and class, one line each; no whisker where there is no interval."""
    height = 0.32 * len(measures) + 1.5
    figure = new_figure(8.5, height)
    axes = figure.add_axes((0.32, 0.65 / height, 0.65, 1 - 1.15 / height))
    low, high = (np.nanmin([v for one in measures for v in (one.value, one.low)]), 0.99)
    high = max(high, np.nanmax([v for one in measures for v in (one.value, one.high)]))
    for place, one in enumerate(measures):
        kind = one.scope.split(" ", 1)[0]
        _dot(axes, one, place, {"annotator": "#1b7837", "class": "#762a83"}.get(kind, "black"))
    axes.axvline(0, color="0.3", linewidth=1)
    axes.axvline(0.99, color=GREY, linewidth=1)
    names = [f"{plain(one.scope.removeprefix('annotator '), 28)} ({one.answers})" for one in measures]
    axes.set_yticks(range(len(measures)), names, size=9)
    axes.set_ylim(len(measures) - 0.5, -0.5)
    axes.set_xlim(min(-0.05, low - 0.05), high + 0.12)
    axes.set_xlabel("confirmation bias d")
    axes.grid(axis="x", alpha=0.3)
    title = textwrap.fill(f"(answers in brackets); {measures[0].note}", 95)
    figure.text(0.97, 1 - 0.12 / height, title, ha="right", va="top", size=9)
    return figure
