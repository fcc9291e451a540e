"""One training of part 3, in a process of its own; goes on from its checkpoint and leaves its predictions.

python -m benchmarks.gpu.train_one SETTINGS METHOD VARIANT SEED MODE
"""

import os
import sys
import time
import traceback
from pathlib import Path

from benchmarks.gpu.family import leave_with_parent
from benchmarks.gpu.items import tell
from benchmarks.gpu.results import add_line
from benchmarks.gpu.runs import CHECKPOINT, CLOCK, PREDICTIONS, PROGRESS, RESULT, Run, read_json, write_json
from benchmarks.gpu.settings import Settings, read_settings
from benchmarks.gpu.sizes import sizes
from benchmarks.gpu.step_time import start_memory
from benchmarks.gpu.trainer import Material, Setup, best_precision, load_material, loop_options, prepare_fit
from benchmarks.gpu.watch import AGAIN
from data.predictions import write_predictions
from training.evaluate.metrics import evaluate
from training.evaluate.predict import Predictor, predict
from training.loop.fit import Losses
from training.losses.dc3 import VARIANTS
from training.networks.heads import Network


class OutOfTimeError(Exception):
    """The next checkpoint would come after the deadline."""


def main() -> int:
    """0 when trained to the end, AGAIN when the time was up at a checkpoint, 1 with the fault as last line."""
    leave_with_parent()
    settings = read_settings(Path(sys.argv[1]))
    run, mode = Run(sys.argv[2], sys.argv[3], int(sys.argv[4])), sys.argv[5]
    try:
        train(settings, run, mode, float(os.environ["DC3_GPU_DEADLINE"]))
    except OutOfTimeError:
        return AGAIN
    except Exception as error:  # the scheduler tells it
        traceback.print_exc()
        print(tell(error), file=sys.stderr)
        return 1
    return 0


def train(settings: Settings, run: Run, mode: str, deadline: float) -> None:
    """Trains to the end and writes predictions, then the result.

    Raises:
        OutOfTimeError: at a checkpoint, when there is no time for the next one.
    """
    size, folder = sizes(settings.tiny), run.folder(settings)
    setup = Setup(run.method, run.variant, mode, best_precision(settings), run.seed)
    material = load_material(settings, run.seed)
    memory = start_memory(settings.device)
    start_fit = prepare_fit(settings, material, setup, loop_options(size, size.steps))
    watch = _Watch(settings, run, material, deadline)
    averaged = start_fit(checkpoint=folder / CHECKPOINT, on_losses=watch.on_losses, on_eval=watch.on_eval)
    seconds = watch.seconds()
    aware = VARIANTS[run.variant].ambiguity_aware
    predictions = predict(Predictor(averaged, aware), material.dataset, material.split)
    write_predictions(predictions, folder / PREDICTIONS)
    metrics = dict(evaluate(predictions.part("validation"), aware))
    found = {"metrics": metrics, "train_seconds": seconds, "steps": size.steps, "batch": size.batch}
    write_json(setup._asdict() | {"network": size.network} | found | memory(), folder / RESULT)


class _Watch:
    """Progress, time and evaluations of one training; holds the start of the clock."""

    def __init__(self, settings: Settings, run: Run, material: Material, deadline: float) -> None:
        self.settings, self.run, self.material, self.deadline = settings, run, material, deadline
        self.folder = run.folder(settings)
        self.before_s = read_json(self.folder / CLOCK).get("seconds", 0.0)
        self.start = self.checked = time.monotonic()

    def seconds(self) -> float:
        """Training time over all calls, set-up included."""
        return self.before_s + time.monotonic() - self.start

    def on_losses(self, losses: Losses) -> None:
        """Leaves the step for the scheduler, which reads the speed from it."""
        write_json({"step": losses.step, "time": time.time()}, self.folder / PROGRESS)

    def on_eval(self, step: int, network: Network) -> None:
        """A checkpoint has been written; metrics are a line now and then."""
        size = sizes(self.settings.tiny)
        write_json({"step": step, "seconds": self.seconds()}, self.folder / CLOCK)
        if step % size.metrics_every == 0 and step < size.steps:
            aware, split = VARIANTS[self.run.variant].ambiguity_aware, self.material.split
            validation = predict(Predictor(network, aware), self.material.dataset, split, split.validation)
            metrics = dict(evaluate(validation, aware))
            add_line(self.settings, "training", self.run.name, "evaluated", step=step, metrics=metrics)
        now = time.monotonic()
        interval, self.checked = now - self.checked, now
        if step < size.steps and time.time() + interval > self.deadline:
            raise OutOfTimeError


if __name__ == "__main__":
    sys.exit(main())
