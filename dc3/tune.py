"""`dc3 tune`: searches prior and loss weights, and writes the best point as a preset."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from dc3.notices import print_notices
from dc3.options import parse_options
from training.config import Config
from training.options import By
from tuning.options import SpaceOptions, StudyOptions

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from tuning.study import OpenStudy

SHOWN = 10
"""Trials in the final table."""
_FIGURES = ("proposals_right", "f1", "d", "d_minus_f1")
_TEST = tuple(f"test_{name}" for name in _FIGURES)


@dataclass(frozen=True)
class TuneOptions:
    """What to search, how long, with how many, and what to do with the result."""

    config: Config
    at: StudyOptions = field(default_factory=StudyOptions)
    space: SpaceOptions = field(default_factory=SpaceOptions)
    trials: int = 20
    """Complete trials that the study shall have, those of earlier calls and of other workers included."""
    workers: int = 1
    """Processes on this machine; the same command in another shell or on another machine adds more."""
    choose: int | None = None
    """Number of the trial to take, instead of the best one."""
    by: By = "proposals_right"
    """What the best is chosen by: right proposals, or the paper's d - F1, which many tiny clusters make low."""
    output: str = ""
    """Preset file to write; empty writes presets/STUDY.toml in the store folder."""


def main(argv: list[str]) -> int:
    """Tunes until the study has its trials, then writes and prints the chosen point."""
    text = "Searches prior and loss weights for a high F1 and a low d on the validation part."
    options, _ = parse_options(TuneOptions, argv, "tune", text)
    from tuning.study import keep_test_part

    if options.workers < 1 or options.trials < 0:
        raise InputError(f"--workers {options.workers} must be at least 1, --trials {options.trials} at least 0.")
    if not options.config.split.test:
        options = replace(options, config=keep_test_part(options.config))
        print(f"test part    {options.config.split.test:.0%} of the images, set apart: tuning never sees them (--test)")
    with _open(options) as opened:
        _tune(options, opened)
    return 0


@contextmanager
def _open(options: TuneOptions) -> "Iterator[OpenStudy]":
    """The study, closed at the end, however it comes."""
    import optuna

    from tuning.processes import stopped_by_signals
    from tuning.study import open_study

    # Optuna would print each diverged training with its traceback; we print a line
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with stopped_by_signals(), closing(open_study(options.at, options.config, options.space)) as opened:
        yield opened


def _tune(options: TuneOptions, opened: "OpenStudy") -> None:
    from tuning.processes import run_processes

    print(f"study        {opened.study.study_name}, MLflow run {opened.record.run_id}", flush=True)
    try:
        if options.workers == 1:
            _work(options, opened)
        else:
            run_processes(_work_as_process, (options,), options.workers)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        raise
    _conclude(options, opened)


def _work(options: TuneOptions, opened: "OpenStudy") -> None:
    from training.run_data import read_data
    from tuning.objective import Objective
    from tuning.storage import artifact_store
    from tuning.worker import work

    dataset, _ = read_data(opened.record.config)
    print_notices(dataset.notices)
    objective = Objective(opened.record, dataset, artifact_store())
    work(opened.study, objective.run, options.trials, options.at.grace, _print_trial)


def _work_as_process(options: TuneOptions) -> None:
    """Body of one of several workers."""
    try:
        with _open(options) as opened:
            _work(options, opened)
    except InputError as error:
        print(f"dc3 tune: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _print_trial(trial: "FrozenTrial") -> None:
    if error := trial.user_attrs.get("error"):
        print(f"trial {trial.number:>4}    failed: {error}", flush=True)
        return
    print(f"trial {trial.number:>4}    {_figures(trial)}  run {trial.user_attrs['run_id']}", flush=True)


def _figures(trial: "FrozenTrial") -> str:
    from tuning.choose import d_minus_f1, figures_of

    f1, d = trial.values
    degenerate = "  degenerate" if trial.user_attrs["metrics"]["degenerate"] else ""
    found = figures_of(trial).get("proposals_right")
    right = "" if found is None else f"right {found:.4f}  "
    return f"{right}F1 {f1:.4f}  d {d:.4f}  d - F1 {d_minus_f1(trial):+.4f}{degenerate}"


def _conclude(options: TuneOptions, opened: "OpenStudy") -> None:
    """Prints the best trials, and writes and prints the chosen one."""
    from training import track
    from tuning.choose import choose_trial, pareto_front, rank_trials
    from tuning.preset import write_preset
    from tuning.storage import dashboard_command

    study, record, _ = opened
    trial = choose_trial(study, options.choose, options.by)
    front = pareto_front(study)
    print(f"\nBest on validation (* on the Pareto front, whose trials are {sorted(front)}):")
    for each in rank_trials(study, options.by)[:SHOWN]:
        values = "  ".join(f"{name} {_short(value)}" for name, value in each.params.items())
        print(f"{'*' if each.number in front else ' '} {each.number:>4}  {_figures(each)}  {values}")
    path = Path(options.output or track.store() / "presets" / f"{study.study_name}.toml").resolve()
    write_preset(path, study.study_name, record, trial)
    figures = track.find_figures(trial.user_attrs["run_id"])
    with track.open_run(f"tune {study.study_name}", run_id=record.run_id):
        track.log_metrics({name: figures[name] for name in (*_FIGURES, *_TEST) if name in figures})
        track.log_file(path)
    print(f"\nchosen       trial {trial.number}, run {trial.user_attrs['run_id']}")
    print(
        "on test      "
        + "  ".join(f"{name.removeprefix('test_')} {figures[name]:.4f}" for name in _TEST if name in figures)
    )
    print("             the figure to report: tuning never saw these images")
    print(f"preset       dc3 train --preset {path}")
    print(f"dashboard    {dashboard_command(options.at)}")


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
