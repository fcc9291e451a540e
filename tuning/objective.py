"""One trial: one training, measured on the validation part only."""

from typing import NamedTuple

import numpy as np
import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna_dashboard import save_note
from optuna_dashboard.artifact import get_artifact_path

from data.ingest import Dataset
from data.predictions import read_predictions
from training import track
from training.evaluate.metrics import DEGENERATE_SHARE
from training.loop.fit import NonFiniteError
from training.sorting import predicts_ambiguity
from training.train import TrainResult, train
from tuning.pictures import draw_pictures
from tuning.space import suggest
from tuning.study import Record

STARTED = "started"
"""User attribute with the trial's own number once its objective runs; a retry's copy holds another number."""
CONSTRAINT = "degenerate"


class Objective(NamedTuple):
    """All that a trial needs beside its values."""

    record: Record
    dataset: Dataset
    artifacts: FileSystemArtifactStore

    def run(self, trial: optuna.Trial) -> tuple[float, float]:
        """Trains with the proposed values and returns (f1, d) on validation.

        Raises:
            NonFiniteError: the training diverged; the trial's note says where.
        """
        trial.set_user_attr(STARTED, trial.number)
        config = suggest(trial, self.record.config, self.record.space)
        study = trial.study.study_name
        try:
            result = train(
                config,
                name=f"{study} trial {trial.number}",
                parent=self.record.run_id,
                tags={"dc3.study": study, "dc3.trial": str(trial.number)},
                show_progress=False,
                with_report=False,
            )
        except NonFiniteError as error:
            trial.set_user_attr("error", str(error))
            save_note(trial, f"The training failed: {error}")
            raise
        # the test part stays out of the store of the search: whoever picks a trial there must not see it
        validation = {name: value for name, value in result.metrics.items() if not name.startswith("test_")}
        trial.set_user_attr("run_id", result.run_id)
        trial.set_user_attr("metrics", validation)
        save_note(trial, _note(result.run_id, validation) + self._attach_pictures(trial, result))
        # Last of all: the retry of a killed trial inherits a constraint that was set, and its own is then ignored.
        trial.set_constraint(CONSTRAINT, degeneracy(validation))
        return validation["f1"], validation["d"]

    def _attach_pictures(self, trial: optuna.Trial, result: TrainResult) -> str:
        """Stores the pictures for the dashboard; returns the Markdown that shows them."""
        predictions = read_predictions(result.predictions)
        seen = np.flatnonzero((predictions.parts == "validation") & (predictions.votes.sum(1) > 0))
        config = self.record.config
        aware = predicts_ambiguity(config.variant, config.sorting.sorting)
        lines = []
        with track.scratch() as folder:
            for title, path in draw_pictures(predictions.select(seen), self.dataset.images[seen], aware, folder):
                artifact = upload_artifact(artifact_store=self.artifacts, file_path=str(path), study_or_trial=trial)
                lines.append(f"\n![{title}]({get_artifact_path(trial, artifact)})\n")
        return "".join(lines)


def degeneracy(metrics: dict[str, float]) -> float:
    """How far a trial is beyond the degenerate rule: above 0 when it is degenerate, else 0 or below.

    Example: 5 % predicted ambiguous, degenerate: 0.05; 60 % ambiguous: -0.3.
    """
    share = metrics["ambiguous_share"]
    beyond = max(DEGENERATE_SHARE - share, share - (1 - DEGENERATE_SHARE))
    # a share of exactly 10 % is degenerate; a variant that predicts no ambiguity never is
    return max(beyond, 1e-6) if metrics["degenerate"] else min(beyond, 0.0)


def _note(run_id: str, metrics: dict[str, float]) -> str:
    rows = "".join(f"| {name} | {value:.4f} |\n" for name, value in metrics.items())
    # optuna-dashboard 0.21 does not mark trials that violate a constraint of Optuna 5
    degenerate = "**Degenerate: never chosen by d - F1.**\n\n" if metrics["degenerate"] else ""
    return f"{degenerate}MLflow run `{run_id}`\n\n| on validation | |\n|---|---|\n{rows}"
