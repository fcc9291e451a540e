"""What a command costs before and after its work, a revision beside the working tree, in seconds of one core.

python -m benchmarks.fixed_cost --before 7fb4066 --repetitions 5 > benchmarks/fixed_cost/results.md

Both take turns, each in processes of its own, with one thread and a store of its own: `--help` of each verb, a training
of two steps on a new store, and one on a store that is there. CPU seconds (user and system, child processes included)
are counted, because others' work on the machine moves them far less than the time on the clock.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("probe.py")
TRAIN = ("train", "--preset", "digits", "--steps", "2", "--evaluate-every", "2", "--device", "cpu")
Costs = dict[str, float]


def main() -> int:
    """Measures and prints one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, help="revision to compare the working tree with")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    load = os.getloadavg()
    with _checkout(options.before) as before:
        trees = {"before": before, "after": ROOT}
        verbs = [verb for verb in _list_verbs(before) if verb in _list_verbs(ROOT)]
        found: dict[str, list[Costs]] = {name: [] for name in trees}
        for _ in range(options.repetitions):
            for name, tree in trees.items():  # in turn: what else the machine does meets both alike
                found[name].append(_measure(tree, verbs))
    _print_table(found, options.before, load)
    return 0


@contextmanager
def _checkout(revision: str) -> Iterator[Path]:
    """A folder with the files of a revision."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        yield Path(folder)


def _list_verbs(tree: Path) -> list[str]:
    code = "import json; from dc3.__main__ import VERBS; print(json.dumps(list(VERBS)))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, env=_environment(tree), check=True, capture_output=True
    )
    return list(json.loads(told.stdout))


def _measure(tree: Path, verbs: list[str]) -> Costs:
    """CPU seconds of each thing, the whole trainings' wall time under `... on the clock`."""
    costs = {f"dc3 {verb} --help": _run(tree, ["-m", "dc3", verb, "--help"])[0] for verb in verbs}
    with tempfile.TemporaryDirectory() as folder:
        for place in ("a new store", "a store that is there"):
            report = Path(folder) / "parts.json"
            arguments = [str(PROBE), str(report), *TRAIN]
            cpu, wall = _run(tree, arguments, DC3_STORE=str(Path(folder) / "store"))
            name = f"dc3 train, {place}"
            costs |= {f"{name}: {part}": value for part, value in json.loads(report.read_text()).items()}
            costs |= {f"{name}: all": cpu, f"{name}: all, on the clock": wall}
    return costs


def _run(tree: Path, arguments: list[str], **changes: str) -> tuple[float, float]:
    """CPU seconds and wall seconds of a Python process and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # cwd: `python -m` looks there first
    command, environment = [sys.executable, *arguments], _environment(tree) | changes
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode and "takes no options" not in done.stderr:  # `dc3 demo --help`
        sys.exit(f"{' '.join(arguments)} in {tree} failed:\n{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _environment(tree: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DC3_"))}
    return kept | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}


def _print_table(found: dict[str, list[Costs]], revision: str, load: tuple[float, float, float]) -> None:
    repetitions = len(found["after"])
    print("# The fixed cost of a command\n")
    print(f"Seconds of one core, median (lowest to highest) of {repetitions} in turn; before: {revision}.")
    print(
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()},"
    )
    print(f"load {load[0]:.1f} at the start and {os.getloadavg()[0]:.1f} at the end.\n")
    print("| what | before | after |\n|---|---|---|")
    for name in found["after"][0]:
        cells = [_describe([costs.get(name, 0.0) for costs in found[tree]]) for tree in ("before", "after")]
        print(f"| {name} | {cells[0]} | {cells[1]} |")


def _describe(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    sys.exit(main())
