"""Tables of the benchmark's CSV: medians over the rounds of one session, and ratios to the bound.

python -m benchmarks.serving.table --session NAME
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.serving.run import AFTER_BURST, BOUND, CLIENTS, HALF_LOADS, INT8, LONE, RAW

OURS = "dc3 serve"
LOADS = (LONE, *(str(clients) for clients in CLIENTS[1:]))


class Cell(NamedTuple):
    """Medians of one server under one load."""

    images_per_s: float
    p50_ms: float
    p99_ms: float


Cells = Mapping[tuple[str, str], Cell]
"""By contestant and load; a contestant without clients has no times."""


def read_cells(path: Path, session: str, model: str) -> Cells:
    """The session's medians for one model."""
    lines: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if (row["session"], row["model"]) == (session, model):
                values = (float(row[key] or "nan") for key in ("images_per_s", "p50_ms", "p99_ms"))
                lines[row["contestant"], row["load"]].append(tuple(values))
    return {key: Cell(*(median(column) for column in zip(*found, strict=True))) for key, found in lines.items()}


def to_table(cells: Cells) -> str:
    """Markdown: a line a contestant, and the best of the settings for the two that have no clients."""
    bound = best(cells, BOUND)[1]
    head = ["images/s (p50 / p99 in ms) at", *(f"{load.split(',')[0].removesuffix(' client')}" for load in LOADS)]
    head += ["32 clients / bound"]
    lines = [head, ["---"] * len(head)]
    for name in (RAW, BOUND):
        setting, rate = best(cells, name)
        lines.append([f"{name} ({setting})", f"{rate:.0f}", "", "", "", f"{rate / bound:.2f}"])
    for name in sorted(_complete(cells, LOADS), key=lambda name: -cells[name, "32"].images_per_s):
        shown = [_show(cells[name, load]) for load in LOADS]
        lines.append([name, *shown, f"{cells[name, '32'].images_per_s / bound:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_ratios(cells: Cells) -> str:
    """Markdown: the lone request before and after the burst, and p99 at half load, of every server."""
    head = ["p50 in ms of 1 client", "fresh", "after 64 clients", "ratio"]
    head += [f"p99 at {load} / lone p50" for load in HALF_LOADS.values()]
    lines = [head, ["---"] * len(head)]
    for name in _complete(cells, (LONE, AFTER_BURST, *HALF_LOADS.values())):
        lone, after = (cells[name, load].p50_ms for load in (LONE, AFTER_BURST))
        halves = [f"{cells[name, load].p99_ms / lone:.1f}" for load in HALF_LOADS.values()]
        lines.append([name, f"{lone:.2f}", f"{after:.2f}", f"{after / lone:.2f}", *halves])
    if (BOUND, LONE) in cells:
        lone = cells[BOUND, LONE].p50_ms
        halves = [f"{cells[BOUND, load].p99_ms / lone:.1f}" for load in HALF_LOADS.values()]
        lines.append([f"{BOUND}, one by one", f"{lone:.2f}", "", "", *halves])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def best(cells: Cells, name: str) -> tuple[str, float]:
    """The best setting of a contestant without clients, and its images/s."""
    settings = {load: cell.images_per_s for (one, load), cell in cells.items() if one == name and "batch" in load}
    return max(settings.items(), key=lambda it: it[1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the tables of all models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("docs/serving/speed.csv"))
    parser.add_argument("--session", required=True)
    parser.add_argument("--models", nargs="+", default=["wrn", "resnet18"])
    options = parser.parse_args(arguments)
    for model in options.models:
        cells = read_cells(options.results, options.session, model)
        if not cells:
            parser.error(f"{options.results} has nothing of session {options.session} for {model}")
        print(f"\n{model}\n\n{to_table(cells)}\n\n{to_ratios(cells)}")
        if (INT8, "speed-up") in cells:
            print(f"\nINT8 answers a batch of 32 {cells[INT8, 'speed-up'].images_per_s:.1f} times faster")


def _complete(cells: Cells, loads: Sequence[str]) -> list[str]:
    """The servers that have been under all of the loads; a run that was cut off leaves the others."""
    servers = dict.fromkeys(name for name, load in cells if load == LONE)
    return [name for name in servers if all((name, load) in cells for load in loads)]


def _show(cell: Cell) -> str:
    return f"{cell.images_per_s:.0f} ({cell.p50_ms:.1f} / {cell.p99_ms:.1f})"


if __name__ == "__main__":
    main()
