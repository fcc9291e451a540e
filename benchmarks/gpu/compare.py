"""Makes the table of `dc3 compare`, fair baseline included, from the predictions that a GPU's call brought back.

python -m benchmarks.gpu.compare OUTPUT [OUTPUT of a later call ...] --to docs/results/16384_steps
"""

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.gpu.results import FILE, Line, read_lines
from benchmarks.gpu.runs import PREDICTIONS, Run
from benchmarks.gpu.table import DRY_RUN, last_by_item
from data.errors import InputError, name_some
from data.predictions import Predictions, read_predictions
from training.comparison import make_row, with_baseline, write_table
from training.config import Config, load_preset
from training.evaluate.metrics import evaluate
from training.losses.dc3 import VARIANTS
from training.report.setup_rows import RunRow

TOLERANCE = 1e-6
"""Of a metric that is reckoned again here, from the same predictions."""


def main() -> int:
    """Prints the table and writes it with its single runs; returns 0, or 1 where it cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", type=Path, nargs="+", help="output folders of the calls, the latest last")
    parser.add_argument("--to", type=Path, required=True, help="folder for table.txt, .md, .csv, runs.csv and picture")
    parser.add_argument("--dry-run", action="store_true", help="make the table of a dry run too; its numbers are none")
    arguments = parser.parse_args()
    try:
        print(tabulate(arguments.outputs, arguments.to, arguments.dry_run), end="")
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tabulate(outputs: list[Path], folder: Path, dry_run: bool = False) -> str:
    """Writes the table of all finished trainings into `folder` and returns its text.

    Raises:
        InputError: no finished training, one of a dry run, one without predictions, or predictions of another run.
    """
    lines = [line for output in outputs for line in read_lines(output / FILE)]
    finished = [line for line in last_by_item(lines, "training").values() if line["state"] == "ok"]
    if not finished:
        raise InputError(f"No finished training in {name_some(outputs)}: table and baseline need at least one.")
    tried = [line["item"] for line in finished if line["dry_run"]]
    if tried and not dry_run:
        raise InputError(f"{name_some(tried)} come from a dry run: their numbers are no results; see --dry-run.")
    runs = {line["item"]: Run(line["method"], line["variant"], line["seed"]) for line in finished}
    predictions = {name: _find_predictions(outputs, run) for name, run in runs.items()}
    rows = [_check_row(line, predictions[line["item"]]) for line in finished]
    config = _config(finished[0])
    rows = [with_baseline(row, rows, config, predictions.__getitem__) for row in rows]
    # by the paper's own measure, as its figures stand beside these
    _, text = write_table(rows, config.paper_dataset, folder, "d_minus_f1")
    if tried:
        for path in (folder / "table.txt", folder / "table.md"):
            path.write_text(f"{DRY_RUN}\n\n{path.read_text('utf-8')}", encoding="utf-8")
    return (f"{DRY_RUN}\n\n" if tried else "") + text


def _config(line: Line) -> Config:
    """The preset of the paper's setting, which is what the trainings had."""
    config = load_preset("cifar10h")
    return replace(
        config,
        method=line["method"],
        variant=line["variant"],
        runtime=replace(config.runtime, seed=line["seed"]),
    )


def _check_row(line: Line, predictions: Predictions) -> RunRow:
    """The row of a training; raises InputError where predictions and line disagree, as those of two runs would."""
    own = dict(evaluate(predictions.part("validation"), VARIANTS[line["variant"]].ambiguity_aware))
    told = line["metrics"]
    # lines from before a measure was made lack it
    off = [name for name in told if name in own and not abs(own[name] - told[name]) <= TOLERANCE]
    if off:
        raise InputError(
            f"{line['item']}: {name_some(off)} of its predictions are not those of its line "
            f"({own[off[0]]} and {told.get(off[0])}); bring lines and predictions of the same calls."
        )
    return make_row(_config(line), line["item"], own | told | {"seconds": line["train_seconds"]})


def _find_predictions(outputs: list[Path], run: Run) -> Predictions:
    """Whole predictions where there are any, else those of the validation part; the latest folder wins."""
    found = [predictions for output in reversed(outputs) for predictions in _read_all(output, run)]
    if not found:
        raise InputError(
            f"No predictions of {run.name} in {name_some(outputs)}: bring the predictions-N.zip of all its calls."
        )
    return max(found, key=lambda predictions: len(predictions.images))


def _read_all(output: Path, run: Run) -> Iterator[Predictions]:
    for bundle in sorted(output.glob("predictions-*.zip")):
        with zipfile.ZipFile(bundle) as file:
            if f"{run.short}.parquet" in file.namelist():
                with tempfile.TemporaryDirectory() as folder:
                    yield read_predictions(Path(file.extract(f"{run.short}.parquet", folder)))
    path = output / "runs" / run.short / PREDICTIONS  # a work folder may be named too
    if path.exists():
        yield read_predictions(path)


if __name__ == "__main__":
    sys.exit(main())
