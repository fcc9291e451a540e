"""The trainings in the order of their worth, and what each keeps in the work folder."""

import json
from pathlib import Path
from typing import NamedTuple

from benchmarks.gpu.prepared import SEEDS
from benchmarks.gpu.results import Line
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import sizes

METHODS = ("mean_teacher", "pi_model", "pseudo_label", "supervised", "fixmatch", "mixmatch")
VARIANTS = ("vanilla", "dc3")
BARE = "bare of "
"""Before the variant of a step whose passes are measured alone."""
CHECKPOINT = "checkpoint.pt"
PREDICTIONS = "predictions.parquet"
RESULT = "result.json"
PROGRESS = "progress.json"
CLOCK = "clock.json"


class Run(NamedTuple):
    """One training."""

    method: str
    variant: str
    seed: int

    @property
    def name(self) -> str:
        """As `dc3 compare` names it; key of its line."""
        return f"{self.method} {self.variant} seed {self.seed}"

    @property
    def short(self) -> str:
        """Its name for files."""
        return f"{self.method}-{self.variant}-{self.seed}"

    def folder(self, settings: Settings) -> Path:
        """Where its checkpoint and predictions are."""
        return settings.work / "runs" / self.short


def plan_runs(tiny: bool) -> list[Run]:
    """Seeds outermost, so that one whole table comes first; a dry run makes a single pair."""
    methods, seeds = (METHODS[:1], SEEDS[:1]) if tiny else (METHODS, SEEDS)
    return [Run(method, variant, seed) for seed in seeds for method in methods for variant in VARIANTS]


def read_json(path: Path) -> dict[str, float]:
    """Numbers that a training left; empty where it left none."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def write_json(values: object, path: Path) -> None:
    """Writes whole or not at all."""
    work = path.with_name(f"{path.name}.new")
    work.write_text(json.dumps(values), encoding="utf-8")
    work.replace(path)


def choose_mode(lines: list[Line], tiny: bool, default: str) -> str:
    """The mode whose whole training of the first method took least, by the lines of the step: set-up and all steps."""
    steps = sizes(tiny).steps
    costs = {
        line["mode"]: line["first_interval_s"] + steps * line["ms"] / 1000
        for line in lines
        if line["part"] == "step" and line["state"] == "ok" and line["method"] == METHODS[0]
        and line["variant"] == VARIANTS[1] and line["precision"] != "float32"
    }  # fmt: skip
    return min(costs, key=lambda mode: costs[mode]) if costs else default


def solo_ms(lines: list[Line], run: Run, mode: str) -> float:
    """Milliseconds of a step of this training when it has the card alone; 1 where it was not measured."""
    wanted = (run.method, run.variant, mode)
    found = [
        line["ms"]
        for line in lines
        if line["part"] == "step" and line["state"] == "ok"
        and (line["method"], line["variant"], line["mode"]) == wanted and line["precision"] != "float32"
    ]  # fmt: skip
    return float(found[-1]) if found else 1.0
