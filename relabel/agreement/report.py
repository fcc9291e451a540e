"""The report in its three forms: text, CSV, and one HTML page with the pictures inside."""

import math
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from relabel.agreement.evidence import Evidence
from relabel.agreement.report_row import Measure, MeasureOptions
from relabel.agreement.timing import Times
from web.standalone import embed_png, load_template

TEMPLATE = Path(__file__).parent / "page.html"
SIMULATION = "SIMULATION: answers in these tables were drawn by a program. The figures say nothing about people."
MEANINGS = {
    "Between annotators": "Do different people give the same answer? Each annotator's first answer on an image counts; "
    "Cohen's kappa also compares later repetitions.",
    "Within annotators": "Does one person give the same answer again? Pairs of repetitions of the same annotator.",
    "Time per label": "All time spent on an image until it had its label, idle cut off. A cluster's time is shared by "
    "its members.",
    "Proposals shown": "What annotators did with a proposal in view, in per cent of the answers to one.",
    "Right and wrong answers": "Measured against the truth named below. Harm: right answers lost where the proposal is "
    "wrong. Help: right answers won where it is right. Both against the control arm; "
    "an answer counts by what its image was offered, in view or not.",
    "Confirmation bias": "d from A = d + (0.99 - d) p: how much likelier a class becomes by being proposed. "
    "0: no pull; 0.99: whatever is proposed is accepted.",
}


class Picture(NamedTuple):
    """A picture of the page."""

    name: str
    caption: str
    """Also its alternative text."""
    png: bytes


def describe(evidence: Evidence, times: Times, options: MeasureOptions) -> dict[str, str]:
    """What was measured, and with which options, by name."""
    labels = evidence.labels
    n_rounds, n_annotators = labels["round"].nunique(), labels["annotator"].nunique()
    caps = ", ".join(f"{unit} {cap:.1f} s" for unit, cap in times.caps.items()) or "none"
    how = "as given" if options.cap_seconds else "3 x 90th percentile of the tasks"
    offers = "as recorded with each answer"
    if evidence.n_unrecorded:
        offers = (
            f"{evidence.n_unrecorded} answer(s) are older than its record: taken from what the proposal arm's answers "
            "had in view, suspects included; export or pull them again where the proposals are still there"
        )
    left_out = f"{times.n_first} first task(s) of a session, {times.n_untimed} answer(s) without a time"
    summary = {
        "answers": f"{len(evidence.answers)}, {len(labels)} of them with a label; {evidence.n_bulk} bulk left out",
        "images": str(len(evidence.images)),
        "annotators": f"{n_annotators} in {n_rounds} round(s)",
        "classes": str(len(evidence.classes)),
        "truth": evidence.truth_source or "none",
        "what images were offered": offers,
        "answers on images that others sent back": f"{int((~evidence.answers['is_dealt']).sum())} left out",
        "longest time that counts": f"{caps} ({how})",
        "left out of the times": left_out,
        "intervals": f"95 %, bootstrap over images, {options.resamples} resamples, seed {options.seed}",
    }
    return ({"kind": SIMULATION} if evidence.is_simulation else {}) | summary


def format_value(measure: Measure) -> str:
    """The figure, or a dash.

    Example: 0.5 without unit is '0.500', 12.345 with unit % is '12.3 %'.
    """
    return "-" if measure.is_missing else _number(measure.value, measure.unit)


def format_interval(measure: Measure) -> str:
    """Both ends of the interval, or a dash."""
    if math.isnan(measure.low):
        return "-"
    ends = (_number(end, measure.unit).removesuffix(f" {measure.unit}") for end in (measure.low, measure.high))
    return " to ".join(ends)


def _number(value: float, unit: str) -> str:
    digits = {"": 3, "%": 1}.get(unit, 2)
    # no minus before a zero
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return f"{text} {unit}" if unit else text


def format_table(measures: Iterable[Measure], summary: dict[str, str]) -> str:
    """The report as text, every absent figure with its reason."""
    rows = list(measures)
    lines = [f"{name}: {value}" for name, value in summary.items()]
    heads = ("images", "pairs", "answers")
    wide = max([len(one.scope) for one in rows] + [8])
    for section in dict.fromkeys(one.section for one in rows):
        lines += ["", section.upper(), f"{'':<28}{'of':<{wide}}{'value':>10}  {'95 % interval':<18}"]
        lines[-1] += "".join(f"{head:>9}" for head in heads)
        for one in rows:
            if one.section != section:
                continue
            start = f"{one.name:<28}{one.scope:<{wide}}{format_value(one):>10}"
            if one.is_missing:
                lines += textwrap.wrap(f"{start}  {one.note}", 118, subsequent_indent=" " * (40 + wide))
                continue
            numbers = "".join(f"{n or '-':>9}" for n in (one.images, one.pairs, one.answers))
            lines.append(f"{start}  {format_interval(one):<18}{numbers}")
            if one.note and section != "Confirmation bias":
                lines += textwrap.wrap(one.note, 106, initial_indent=" " * 12, subsequent_indent=" " * 12)
        notes = {one.note for one in rows if one.section == section == "Confirmation bias" and not one.is_missing}
        lines += [line for note in sorted(notes) for line in textwrap.wrap(note, 118)]
    return "\n".join(lines)


def write_csv(measures: Iterable[Measure], path: Path) -> None:
    """One row a figure, columns as in `Measure`; empty cells have their reason in `note`."""
    pd.DataFrame(list(measures), columns=list(Measure._fields)).to_csv(path, index=False)


def render_page(
    measures: Iterable[Measure],
    summary: dict[str, str],
    pictures: Iterable[Picture],
    title: str = "Agreement, time and the effect of the proposals",
    meanings: Mapping[str, str] = MEANINGS,
) -> str:
    """The page as HTML with all pictures inside; it needs nothing beside it. `meanings` explains each section."""
    rows = list(measures)
    sections = {
        name: [(one, format_value(one), format_interval(one)) for one in rows if one.section == name]
        for name in dict.fromkeys(one.section for one in rows)
    }
    shown = [(one, *embed_png(one.png)) for one in pictures]
    return load_template(TEMPLATE).render(
        title=title,
        summary=summary,
        sections=sections,
        meanings=meanings,
        pictures=shown,
    )
