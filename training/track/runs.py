"""Runs found again: their files, their configuration, the best of them."""

from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from training.config import Config, from_json
from training.errors import InputError
from training.losses.dc3 import VARIANTS
from training.track.connection import connect, store_name
from training.track.recording import CONFIG_FILE


class RunSummary(NamedTuple):
    """What the record of a finished run says."""

    run_id: str
    name: str
    config: Config
    metrics: dict[str, float]
    fingerprint: str


class FinishedRun(NamedTuple):
    """Id and final metrics of a finished run."""

    run_id: str
    metrics: dict[str, float]


def find_run(run_id: str) -> Run:
    """The record of a run; raises InputError when there is none."""
    try:
        return connect().get_run(run_id)
    except MlflowException as error:
        raise InputError(
            f"No run {run_id} in {store_name()}: take an id that `mlflow ui` lists, or set MLFLOW_TRACKING_URI."
        ) from error


def has_file(run_id: str, name: str) -> bool:
    """Whether a file is stored with a run."""
    return name in {file.path for file in connect().list_artifacts(run_id)}


def fetch_file(run_id: str, name: str) -> Path:
    """A file of a run, downloaded when the artifacts are not on this machine."""
    run = find_run(run_id)
    try:
        return Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=name))
    except (MlflowException, OSError) as error:
        raise InputError(
            f"Run {run_id} has no {name}: it did not get that far; go on by `dc3 train --resume {run_id}`."
        ) from error


def load_config(run_id: str) -> Config:
    """The resolved configuration of a run."""
    return from_json(fetch_file(run_id, CONFIG_FILE).read_text())


def summarise(run_id: str) -> RunSummary:
    """Name, configuration, metrics and data of a run."""
    run = find_run(run_id)
    fingerprint = run.data.tags.get("dc3.fingerprint", "")
    return RunSummary(run_id, run.info.run_name, load_config(run_id), dict(run.data.metrics), fingerprint)


def finished_children(parent: str) -> dict[str, FinishedRun]:
    """The finished trainings nested below a run, by name."""
    client = connect()
    query = f"attributes.status = 'FINISHED' and tags.mlflow.parentRunId = '{parent}' and tags.`dc3.kind` = 'train'"
    runs = client.search_runs([find_run(parent).info.experiment_id], query)
    return {run.info.run_name: FinishedRun(run.info.run_id, dict(run.data.metrics)) for run in runs}


def best_run() -> str:
    """Id of the run with the lowest d - F1 on validation, not degenerate, on the data of the newest run.

    Only variants that predict the ambiguity count: another model could not tell which image to cluster.
    """
    client = connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = "attributes.status = 'FINISHED' and tags.`dc3.kind` = 'train'"
    newest = client.search_runs(experiments, query, max_results=1, order_by=["attributes.start_time DESC"])
    if not newest:
        raise InputError(f"No finished training in {store_name()}: start with `dc3 train --preset digits`.")
    fingerprint = newest[0].data.tags["dc3.fingerprint"]
    blind = [name for name, variant in VARIANTS.items() if not variant.ambiguity_aware]
    aware = "".join(f" and params.variant != '{name}'" for name in blind)
    found = client.search_runs(
        experiments,
        f"{query} and tags.`dc3.fingerprint` = '{fingerprint}' and metrics.degenerate = 0{aware}",
        order_by=["metrics.d_minus_f1 ASC"],
        max_results=1,
    )
    if not found:
        raise InputError(
            "No finished run on these data that is not degenerate: raise the steps or change the prior,"
            " and train again."
        )
    return found[0].info.run_id
