"""The comparison as text, Markdown and CSV; in percent with two decimals, as in the paper's Table 2."""

import math
from collections.abc import Sequence
from textwrap import fill
from typing import NamedTuple

import pandas as pd

from training.options import By
from training.report.setup_rows import AS_PUBLISHED, SetupRow, Spread

NOTES = (
    "All in percent. right: proposals that are right, of all images: certain ones by their class, ambiguous ones by "
    "the majority of the others in their cluster. base, flat: what is reached without DC3. chance: the same with the "
    "clusters shuffled. common: the commonest class for every image. F1: weighted, on images predicted certain. d: "
    "inner distance on images predicted ambiguous (where none are predicted: all images, by class), the mean over "
    "clusters; many tiny clusters make it low. d by images: the same, the mean over images. d': each image left out of "
    "its cluster's mean. purity: images whose class most others of their cluster have; one alone counts wrong.",
    "Runs: those that are not degenerate; +n: degenerate ones (at most 10 % certain or ambiguous). std: n-1.",
)
BEST_NOTES: dict[By, str] = {
    "proposals_right": "Best: the run with most right proposals. Degenerate runs are in all figures.",
    "d_minus_f1": "Best: the run with the lowest d-F1. Degenerate runs are left out of all figures.",
}
SEEDS_NOTE = (
    "Runs of different seeds are measured on different validation images: the best of several seeds is luck of the "
    "images in part. Compare means, or methods and variants of one seed."
)
BASELINE_NOTE = (
    "Without DC3: the vanilla run of the same method and seed, the same share of images set aside by max p_n. base: "
    "sorted by confidence, k-means inside each predicted class, fitted on training images. flat: one k-means over all "
    "that are set aside. Best: its own best run."
)
SORTING_NOTE = (
    "sorted by: what decides which images are certain and which cluster the others belong to. network: p_a and p_o, as "
    "published. confidence: 1 - max p_n, and k-means inside each predicted class."
)
PAPER_NOTE = (
    "Paper: best of three runs by d-F1 of WRN-28-2 after 16,384 steps, prior 0.6; compare only what was trained as "
    "long."
)


_MEAN = "mean ± std"
_NAMES = ("method", "variant", "sorted by")


class Grid(NamedTuple):
    """A table of strings; a header may have two lines."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def make_text(table: Sequence[SetupRow], by: By = "proposals_right", n_seeds: int = 1) -> str:
    """Aligned columns, at most 100 characters wide.

    Args:
        by: what the best runs were chosen by, and `n_seeds` of how many seeds: both stand in the notes.
    """
    blocks = [grid.title + "\n" + _align(grid) for grid in _make_grids(table)]
    notes = [fill(note, 100, subsequent_indent="  ") for note in _make_notes(table, by, n_seeds)]
    return "\n\n".join([*blocks, "\n".join(notes)]) + "\n"


def make_markdown(table: Sequence[SetupRow], by: By = "proposals_right", n_seeds: int = 1) -> str:
    """The same tables for a README or an MLflow note."""
    blocks = []
    for title, header, rows in _make_grids(table):
        lines = [
            tuple(name.replace("\n", " ") for name in header),
            tuple("---" if name in _NAMES else "---:" for name in header),
            *rows,
        ]
        blocks.append(f"**{title}**\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines))
    return "\n\n".join([*blocks, "\n".join(f"- {note}" for note in _make_notes(table, by, n_seeds))]) + "\n"


def make_csv(table: Sequence[SetupRow]) -> str:
    """One line a setup and a column for every figure, in percent (seconds in seconds); empty where undefined."""
    records: list[dict[str, object]] = []
    for row in table:
        record: dict[str, object] = {}
        for name, value in row._asdict().items():
            if isinstance(value, Spread):
                unit = 1 if name == "seconds" else 100
                record |= {f"{name}_{kind}": unit * part for kind, part in value._asdict().items()}
            elif name != "paper":
                record[name] = value
        if row.paper:
            figures = row.paper._asdict()
            record["paper_source"] = figures.pop("source")
            record |= {f"paper_{name}": 100 * value for name, value in figures.items()}
        records.append(record)
    text: str = pd.DataFrame(records).to_csv(index=False, float_format="%.4f")
    return text


def _make_grids(table: Sequence[SetupRow]) -> list[Grid]:
    """Right proposals; the clusters; the paper's measures; beside them the baselines and the paper's, where known."""
    names = _name_setups(table)
    right = Grid(
        "Right proposals",
        (*names.header, "right", _MEAN, "base", "flat", "chance", "common", "ambig.", "runs"),
        [
            (
                *(*name, _percent(row.right.best), _mean(row.right)),
                *map(_percent, (row.baseline_right.best, row.flat_right.best)),
                *map(_percent, (row.right_shuffled.best, row.right_commonest.best, row.ambiguous_share.best)),
                _count_runs(row),
            )
            for name, row in zip(names.rows, table, strict=True)
        ],
    )
    clusters = Grid(
        "Clusters, by measures that tiny ones do not win",
        (*names.header, "purity", _MEAN, "d by\nimages", _MEAN, "d'", _MEAN),
        [
            (
                *name,
                *(text for value in (row.purity_left_out, row.d_weighted, row.d_left_out) for text in _both(value)),
            )
            for name, row in zip(names.rows, table, strict=True)
        ],
    )
    papers = Grid(
        "The paper's measures: best run, mean and standard deviation",
        (*names.header, "F1", _MEAN, "d", _MEAN, "d-F1", _MEAN),
        [
            (*name, *(text for value in (row.f1, row.d, row.d_minus_f1) for text in _both(value)))
            for name, row in zip(names.rows, table, strict=True)
        ],
    )
    grids = [right, clusters, papers]
    with_baseline, with_paper = [row for row in table if _has_baseline(row)], [row for row in table if row.paper]
    grids += [_make_baseline_grid(with_baseline)] if with_baseline else []
    grids += [_make_paper_grid(with_paper)] if with_paper else []
    return grids


def _name_setups(table: Sequence[SetupRow]) -> Grid:
    """The first columns; the sorting is told where it is not everywhere that of the paper."""
    if not _has_sortings(table):
        return Grid("", ("method", "variant"), [(row.method, row.variant) for row in table])
    header = ("method", "variant", "sorted by")
    return Grid("", header, [(row.method, row.variant, row.sorting) for row in table])


def _make_baseline_grid(table: Sequence[SetupRow]) -> Grid:
    names = _name_setups(table)
    base = ("base\nF1", "base\nd", "base\nd-F1", "base\nAUROC", "flat\nd", "flat\nd-F1")
    rows = []
    for name, row in zip(names.rows, table, strict=True):
        ours = (row.f1, row.d, row.d_minus_f1, row.auroc)
        theirs = (row.baseline_f1, row.baseline_d, row.baseline_d_minus_f1, row.baseline_auroc)
        values = (*ours, *theirs, row.flat_d, row.flat_d_minus_f1)
        rows.append((*name, *(_percent(value.best) for value in values)))
    title = "Best run, beside what is reached without DC3 (base, flat)"
    return Grid(title, (*names.header, "F1", "d", "d-F1", "AUROC", *base), rows)


def _make_paper_grid(table: Sequence[SetupRow]) -> Grid:
    names = _name_setups(table)
    rows = []
    for name, row in zip(names.rows, table, strict=True):
        assert row.paper is not None
        values = (row.f1.best, row.d.best, row.d_minus_f1.best, row.paper.f1, row.paper.d, row.paper.d_minus_f1)
        rows.append((*name, *map(_percent, values)))
    header = (*names.header, "F1", "d", "d-F1", "paper\nF1", "paper\nd", "paper\nd-F1")
    return Grid("Best run, beside the paper's", header, rows)


def _has_sortings(table: Sequence[SetupRow]) -> bool:
    return any(row.sorting != AS_PUBLISHED for row in table)


def _both(value: Spread) -> tuple[str, str]:
    return _percent(value.best), _mean(value)


def _count_runs(row: SetupRow) -> str:
    return f"{row.n_runs}" + (f"+{row.n_degenerate}" if row.n_degenerate else "")


def _has_baseline(row: SetupRow) -> bool:
    return not math.isnan(row.baseline_f1.best)


def _make_notes(table: Sequence[SetupRow], by: By, n_seeds: int) -> list[str]:
    notes = [*NOTES, BEST_NOTES[by]]
    notes += [SEEDS_NOTE] if n_seeds > 1 else []
    notes += [SORTING_NOTE] if _has_sortings(table) else []
    notes += [BASELINE_NOTE] if any(_has_baseline(row) for row in table) else []
    notes += [PAPER_NOTE] if any(row.paper for row in table) else []
    return notes


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def _mean(value: Spread) -> str:
    return "-" if math.isnan(value.mean) else f"{_percent(value.mean)} ±{_percent(value.std):>5}"


def _align(grid: Grid) -> str:
    """Names to the left, numbers to the right, a free line between the methods."""
    pairs = [name.split("\n") if "\n" in name else ["", name] for name in grid.header]
    header = [tuple(upper for upper, _ in pairs), tuple(lower for _, lower in pairs)]
    widths = [max(map(len, column)) for column in zip(*header, *grid.rows, strict=True)]
    gaps = [_gap(place, upper, lower) for place, (upper, lower) in enumerate(pairs)]
    n_names = sum(name in _NAMES for name in grid.header)

    def align(line: tuple[str, ...]) -> str:
        cells = zip(gaps, line, widths, strict=True)
        return "".join(
            gap + (cell.ljust(width) if place < n_names else cell.rjust(width))
            for place, (gap, cell, width) in enumerate(cells)
        ).rstrip()

    head = [text for text in map(align, header) if text]
    body: list[str] = []
    for row, before in zip(grid.rows, [grid.rows[0], *grid.rows], strict=False):
        body += [align(row)] if row[0] == before[0] else ["", align(row)]
    return "\n".join([*head, "-" * (sum(widths) + sum(map(len, gaps))), *body])


def _gap(place: int, group: str, name: str) -> str:
    """What belongs together stands closer: a line stays within 100 characters."""
    if place == 0:
        return ""
    return " " if name == _MEAN or (group and name != "F1") else "  "
