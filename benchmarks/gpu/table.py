"""The short table of a call, made from its lines: also of one that was cut.

python -m benchmarks.gpu.table OUTPUT
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.gpu.results import FILE, Line, read_lines
from benchmarks.gpu.runs import BARE
from data.errors import InputError, name_some

DRY_RUN = "DRY RUN: tiny sizes or no GPU. These numbers are no results."
"""Stands above every table of a dry run."""


def make_table(lines: Sequence[Line]) -> str:
    """Origin, tests, step, trainings, features and faults, at most 110 characters wide."""
    blocks = [_origin(lines), _tests(lines), _step(lines), _trainings(lines), _features(lines), _faults(lines)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def last_by_item(lines: Iterable[Line], part: str) -> dict[str, Line]:
    """The last line of each item: a later call, or a tear-down that fails, overrules."""
    return {line["item"]: line for line in lines if line["part"] == part and line["state"] not in ("info", "evaluated")}


def _origin(lines: Sequence[Line]) -> str:
    told = []
    for key in ("card", "torch", "commit", "command"):
        values = dict.fromkeys(str(line[key]) for line in lines)
        told.append(f"{key:<8} {' | '.join(values)}")
    dates = sorted(line["date"] for line in lines)
    told.append(f"{'date':<8} {dates[0]} to {dates[-1]}")
    return "\n".join(([DRY_RUN] if any(line["dry_run"] for line in lines) else []) + told)


def _tests(lines: Sequence[Line]) -> str:
    found = last_by_item(lines, "tests")
    if not found:
        return ""
    states = [line["state"] for line in found.values()]
    counts = ", ".join(f"{states.count(state)} {word}" for state, word in _WORDS.items() if state in states)
    return f"Tests marked gpu: {counts}"


_WORDS = {"ok": "passed", "error": "failed", "skipped": "skipped", "cut": "cut"}


def _step(lines: Sequence[Line]) -> str:
    """One row a method, mode and precision; ratios only of what was measured."""
    found = {name: line for name, line in last_by_item(lines, "step").items() if line["state"] == "ok"}
    by_way: dict[tuple[str, str, str], dict[str, Line]] = {}
    for line in found.values():
        by_way.setdefault((line["method"], line["mode"], line["precision"]), {})[line["variant"]] = line
    rows = [
        (
            *way,
            *(_number(line, "ms") for line in (vanilla, dc3)),
            *(_ratio(one, bare, "ms") for one, bare in ((vanilla, bare_vanilla), (dc3, bare_dc3))),
            _ratio(dc3, vanilla, "ms"),
            _number(vanilla, "peak_mib", 0),
            _ratio(dc3, vanilla, "peak_mib"),
        )
        for way, measured in by_way.items()
        for vanilla, dc3 in [(measured.get("vanilla"), measured.get("dc3"))]
        for bare_vanilla, bare_dc3 in [(measured.get(BARE + "vanilla"), measured.get(BARE + "dc3"))]
    ]
    header = ("method", "mode", "precision", "vanilla", "dc3", "vanilla", "dc3", "dc3/", "MiB", "MiB dc3/")
    units = ("", "", "", "ms", "ms", "/bare", "/bare", "vanilla", "vanilla", "vanilla")
    return _grid("A step (median)", [header, units], rows, 3)


def _trainings(lines: Sequence[Line]) -> str:
    rows = [
        (
            name,
            line["mode"],
            *(f"{100 * line['metrics'][key]:.2f}" for key in ("f1", "d", "d_minus_f1", "ambiguous_share")),
            f"{line['train_seconds']:.0f}",
            str(line["processes"]),
        )
        for name, line in last_by_item(lines, "training").items()
        if line["state"] == "ok"
    ]
    header = ("training", "mode", "F1", "d", "d-F1", "ambig.", "s", "at once")
    speeds = {line["processes"]: line["speed"] for line in lines if line["part"] == "training" and "speed" in line}
    told = [f"{processes} at once: {speed:.2f} times the speed of one alone" for processes, speed in speeds.items()]
    return "\n".join(filter(None, [_grid("Trainings, in percent", [header], rows, 2), *told]))


def _features(lines: Sequence[Line]) -> str:
    rows = [
        (name, f"{line['side']}", f"{line['batch']}", f"{line['images_per_second']:.0f}")
        for name, line in last_by_item(lines, "features").items()
        if line["state"] == "ok"
    ]
    return _grid("Features of a backbone", [("what", "px", "batch", "images/s")], rows, 1)


def _faults(lines: Sequence[Line]) -> str:
    """Everything that is not whole, with its reason; what has the same reason is told once."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for part in dict.fromkeys(line["part"] for line in lines):
        for name, line in last_by_item(lines, part).items():
            if line["state"] != "ok":
                reason = str(line.get("error") or line.get("reason"))
                told.setdefault((line["state"], part, reason), []).append(name)
            for text in line.get("warnings", []):
                told.setdefault(("warning", part, text), []).append(name)
    rows = [f"{state}: {part}: {name_some(names, 1)}: {reason}" for (state, part, reason), names in told.items()]
    return "Not whole\n" + "\n".join(rows) if rows else ""


def _number(line: Line | None, key: str, digits: int = 2) -> str:
    return f"{line[key]:.{digits}f}" if line and line.get(key) is not None else "-"


def _ratio(upper: Line | None, lower: Line | None, key: str) -> str:
    if not upper or not lower or not upper.get(key) or not lower.get(key):
        return "-"
    return f"{upper[key] / lower[key]:.3f}"


def _grid(title: str, header: list[tuple[str, ...]], rows: Sequence[tuple[str, ...]], n_names: int) -> str:
    """Names to the left, numbers to the right; empty without rows."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*header, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < n_names else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [*header, *rows]
    ]
    return "\n".join([title, *lines[: len(header)], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[len(header) :]])


def main() -> int:
    """Prints the table of an output folder; returns 0, or 1 where there are no lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    try:
        print(read_table(arguments.output), end="")
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_table(output: Path) -> str:
    """The table of a folder; raises InputError where it holds no lines."""
    lines = read_lines(output / FILE)
    if not lines:
        raise InputError(
            f"{output} holds no {FILE} with a line in it; give the output folder of python -m benchmarks.gpu."
        )
    return make_table(lines)


if __name__ == "__main__":
    sys.exit(main())
