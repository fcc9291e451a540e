"""Runs found again: their files, their configuration, their figures."""

from pathlib import Path
from typing import NamedTuple

import mlflow
import numpy as np
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from data.errors import InputError
from data.predictions import read_predictions
from training.batches.data_record import DataRecord, read_old_split, read_record
from training.config import Config, from_json
from training.track.connection import ARTIFACTS, connect, store, store_name
from training.track.run_log import CONFIG_FILE, DATA_FILE, FINGERPRINT, SPLIT_FILE

FINISHED = "FINISHED"
PREDICTIONS_FILE = "predictions.parquet"
SORTED_FROM = "dc3.sorted_from"
"""Tag: the run that was trained, where this one is that one under another sorting."""


class RunSummary(NamedTuple):
    """What the record of a finished run says."""

    run_id: str
    name: str
    config: Config
    metrics: dict[str, float]
    fingerprint: str


class FinishedRun(NamedTuple):
    """Id, final metrics and data of a finished run."""

    run_id: str
    metrics: dict[str, float]
    fingerprint: str


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
    """A file of a run, downloaded when the artifacts are not on this machine.

    Raises InputError that tells a run which did not get that far from one whose files lie elsewhere.
    """
    run = find_run(run_id)
    try:
        return Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=name))
    except (MlflowException, OSError) as error:
        raise InputError(_explain_absence(run, name)) from error


def _explain_absence(run: Run, name: str) -> str:
    run_id, kind = run.info.run_id, run.data.tags.get("dc3.kind", "train")
    if kind != "train":
        best = run.data.tags.get("dc3.best_run")
        return (
            f"Run {run_id} is no training but a {kind}: name one of the runs below it{f', as {best}' if best else ''}."
        )
    place = run.info.artifact_uri
    try:
        empty = not connect().list_artifacts(run_id)
    except MlflowException:
        empty = True
    if empty and run.data.params:  # these are recorded after the first files
        remedy = (
            f"put them into {store() / ARTIFACTS / run_id / ARTIFACTS}" if place.startswith("file:") else "bring them"
        )
        return (
            f"Run {run_id} has no {name}: its files are not in {place}, where they were written."
            f" Was the store moved without them? Then {remedy}, or name its new place by DC3_STORE."
        )
    if run.info.status == FINISHED:
        return f"Run {run_id} is finished, but its {name} is no longer in {place}: bring it back, or train anew."
    if name == CONFIG_FILE:
        return f"Run {run_id} has no {name}: it stopped before its record was whole; train anew."
    return f"Run {run_id} has no {name}: it did not get that far; go on by `dc3 train --resume {run_id}`."


def check_unfinished(run_id: str, kind: str) -> None:
    """Raises InputError for a run that is finished, as what it is stays as it is, or that is none of the `kind`."""
    run = find_run(run_id)
    found = run.data.tags.get("dc3.kind", "train")
    if found != kind:
        raise InputError(f"Run {run_id} is no {kind} but a {found}: it goes on by `dc3 {found}`.")
    if run.info.status == FINISHED:
        again = f"--repeat {run_id}" if kind == "train" else f"the same `dc3 {kind}` without --resume"
        raise InputError(f"Run {run_id} is finished and is never written again: {again} trains it anew as another run.")


def name_of(run_id: str) -> str:
    """What a run is called."""
    return str(find_run(run_id).info.run_name)


def tag_origin(run_id: str) -> dict[str, str]:
    """Tags of a run that is made of another one: what it tells of its data and its round, and its id."""
    own = ("dc3.study", "dc3.trial", "dc3.uncommitted_changes")
    tags = find_run(run_id).data.tags
    return {key: tag for key, tag in tags.items() if key.startswith("dc3.") and key not in own} | {SORTED_FROM: run_id}


def list_files(run_id: str) -> list[str]:
    """Names of the files that are stored with a run, those in folders left out."""
    return [file.path for file in connect().list_artifacts(run_id) if not file.is_dir]


def load_config(run_id: str) -> Config:
    """The configuration of a run, as it was used."""
    return from_json(fetch_file(run_id, CONFIG_FILE).read_text("utf-8"))


def load_data_record(run_id: str) -> DataRecord:
    """What a run was trained on; of a run of an older version, what its predictions or its split still tell."""
    if has_file(run_id, DATA_FILE):
        return read_record(fetch_file(run_id, DATA_FILE))
    fingerprint = find_run(run_id).data.tags.get(FINGERPRINT, "")
    if has_file(run_id, PREDICTIONS_FILE):
        found = read_predictions(fetch_file(run_id, PREDICTIONS_FILE))
        names = tuple(found.images.tolist())
        return DataRecord(names, found.parts, found.class_names, found.votes, (), fingerprint)
    names, parts = read_old_split(fetch_file(run_id, SPLIT_FILE).read_text("utf-8"))
    return DataRecord(names, parts, (), np.zeros((len(names), 0), np.int64), (), fingerprint)


def summarise(run_id: str) -> RunSummary:
    """Name, configuration, metrics and data of a run."""
    run = find_run(run_id)
    fingerprint = run.data.tags.get(FINGERPRINT, "")
    return RunSummary(run_id, run.info.run_name, load_config(run_id), dict(run.data.metrics), fingerprint)


def finished_children(parent: str) -> dict[str, FinishedRun]:
    """The finished trainings nested below a run, by name."""
    client = connect()
    query = f"attributes.status = 'FINISHED' and tags.mlflow.parentRunId = '{parent}' and tags.`dc3.kind` = 'train'"
    runs = client.search_runs([find_run(parent).info.experiment_id], query)
    return {
        run.info.run_name: FinishedRun(run.info.run_id, dict(run.data.metrics), run.data.tags.get(FINGERPRINT, ""))
        for run in runs
    }
