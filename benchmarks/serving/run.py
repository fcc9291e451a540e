"""Measures the service against raw onnxruntime and other servers, on one machine, in rounds.

python -m benchmarks.serving.run --images IMAGES.zip --peers PEERS --session NAME   # repeat for each round
python -m benchmarks.serving.table --session NAME

PEERS is the virtual environment of benchmarks/serving/requirements.txt; wrk must be installed. A round can be cut in
parts by --models and --contestants; what is measured is appended to the CSV at once.
"""

import argparse
import csv
import datetime
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.serving.bodies import read_images
from benchmarks.serving.bound import measure_bound, measure_one_by_one
from benchmarks.serving.contestants import CONTESTANTS, running
from benchmarks.serving.inputs import NETWORKS, make_inputs
from benchmarks.serving.load import Load, run_load
from data.images.decoding import decode
from serving.export.quantise import measure_speed_up

CLIENTS = (1, 8, 32, 64)
RAW, BOUND, INT8 = "raw onnxruntime", "decode + raw onnxruntime", "INT8"
LONE, AFTER_BURST = "1 client, fresh", "1 client, after the burst"
HALF_LOADS = {arrivals: f"half load, {arrivals} arrivals" for arrivals in ("even", "random")}


Found = tuple[str, tuple[float, ...]]
"""A load and the last fields of a Measurement."""


class Measurement(NamedTuple):
    """One line of the CSV; what does not apply is empty."""

    session: str
    machine: str
    time: str
    round: int
    model: str
    contestant: str
    load: str
    """Number of clients, or one of the names above; for the bound: threads, runs and batch size."""
    images_per_s: float
    p50_ms: float | str = ""
    p99_ms: float | str = ""
    requests: int | str = ""


def measure_server(name: str, model: Path, peers: Path, seconds: int, seed: int) -> Iterator[tuple[str, Load]]:
    """Loads of one server, in the order in which they are put on it; random arrivals are those of the seed."""
    contestant, bodies = CONTESTANTS[name], model.parent / "bodies"
    with running(contestant, peers, model, bodies) as url:

        def load(clients: int, seconds: int, rate: float = 0.0, arrivals: str = "even") -> Load:
            return run_load(url, bodies, contestant.packing, clients, seconds, rate, arrivals, seed)

        load(1, 1)  # the first runs plan memory and are no one's measure
        yield LONE, load(1, seconds)
        best = 0.0
        for clients in CLIENTS[1:]:
            found = load(clients, seconds)
            best = max(best, found.images_per_s)
            yield str(clients), found
        # 64 clients have just left.
        yield AFTER_BURST, load(1, seconds)
        for arrivals, name in HALF_LOADS.items():
            yield name, load(0, 2 * seconds, best / 2, arrivals)


def main() -> None:
    """Measures one round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="ZIP archive of JPEG images")
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/serving-benchmark"), help="for models and bodies")
    parser.add_argument("--results", type=Path, default=Path("docs/serving/speed.csv"))
    parser.add_argument("--session", required=True, help="name that joins the rounds of one machine and one day")
    parser.add_argument("--round", type=int, default=1)
    parser.add_argument("--models", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--contestants", nargs="+", default=[RAW, BOUND, *CONTESTANTS, INT8])
    parser.add_argument("--seconds", type=int, default=3, help="of one load")
    arguments = parser.parse_args()
    if unknown := set(arguments.contestants) - {RAW, BOUND, INT8, *CONTESTANTS}:
        parser.error(f"no contestants: {sorted(unknown)}; there are {[RAW, BOUND, *CONTESTANTS, INT8]}")
    for model in arguments.models:
        folder = (arguments.work / model).resolve()
        if not (folder / "model.onnx").exists():
            make_inputs(model, arguments.images, folder)
        # Another one begins in each round, so that a machine that slows down or warms up hits all alike.
        shift = arguments.round % len(arguments.contestants)
        for name in arguments.contestants[shift:] + arguments.contestants[:shift]:
            for load, found in _in_part(_measure(name, folder / "model.onnx", arguments)):
                line = Measurement(
                    arguments.session,
                    f"{platform.machine()}, {os.cpu_count()} cores",
                    datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                    arguments.round,
                    model,
                    name,
                    load,
                    *(round(value, 2) for value in found),
                )
                _append(line, arguments.results)
                print(*line[3:], flush=True)


def _measure(name: str, model: Path, arguments: argparse.Namespace) -> Iterator[Found]:
    seconds: int = arguments.seconds
    if name in CONTESTANTS:
        yield from measure_server(name, model, arguments.peers, seconds, arguments.round)
    elif name == INT8:
        yield "speed-up", (measure_speed_up(model, model.with_name("int8.onnx"), _arrays(model)),)
    else:
        settings = measure_bound(model, seconds / 3, decoding=name == BOUND)
        for setting, found in settings.items():
            yield str(setting), found
        if name == BOUND:
            yield LONE, measure_one_by_one(model, 0.0, seconds, False)
            for arrivals, load in HALF_LOADS.items():
                half = max(rate for rate, _, _ in settings.values()) / 2
                yield load, measure_one_by_one(model, half, 2 * seconds, arrivals == "random", arguments.round)


def _in_part(found: Iterator[Found]) -> Iterator[Found]:
    """What was measured before a server gave up under its load; the others' turn comes all the same."""
    try:
        yield from found
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)


def _arrays(model: Path) -> np.ndarray:
    return np.stack([decode(data, "body") for data in read_images(model.parent)[:64]])


def _append(line: Measurement, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(Measurement._fields)
        writer.writerow(line)


if __name__ == "__main__":
    main()
