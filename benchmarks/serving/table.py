"""Tables of the benchmark's CSV: medians over the rounds of one session, and ratios to the bound.

python -m benchmarks.serving.table --session NAME
"""

import argparse
import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.serving.bound import Setting
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
    """Markdown: a line a contestant; onnxruntime alone at its best with as many images in work as there are clients."""
    head = [
        "images/s (p50 / p99 in ms) at",
        *(str(clients) for clients in CLIENTS),
        "32 clients / bound",
        "/ best bound",
    ]
    lines = [head, ["---"] * len(head)]
    servers = sorted(_complete(cells, LOADS), key=lambda name: -cells[name, "32"].images_per_s)
    bounds = best(cells, BOUND, 32).images_per_s, best(cells, BOUND).images_per_s
    alone = [name for name in (RAW, BOUND) if any(one == name for one, _ in cells)]
    for name in (*alone, *servers):
        loads = zip(CLIENTS, LOADS, strict=True)
        found = [cells[name, load] if name in servers else best(cells, name, clients) for clients, load in loads]
        ratios = [f"{found[CLIENTS.index(32)].images_per_s / bound:.2f}" for bound in bounds]
        lines.append([name, *map(_show, found), *ratios])
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


def best(cells: Cells, name: str, in_flight: int | None = None) -> Cell:
    """The fastest setting of onnxruntime alone, with no more images in work than that."""
    settings = {Setting.read(load): cell for (one, load), cell in cells.items() if one == name}
    fitting = [cell for setting, cell in settings.items() if setting and setting.in_flight <= (in_flight or math.inf)]
    return max(fitting, key=lambda cell: cell.images_per_s)


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
    times = f" ({cell.p50_ms:.1f} / {cell.p99_ms:.1f})" if not math.isnan(cell.p50_ms) else ""
    return f"{cell.images_per_s:.0f}{times}"


if __name__ == "__main__":
    main()
