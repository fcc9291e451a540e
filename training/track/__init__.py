"""The one home of MLflow: where runs are stored, what of them is recorded, how they are found again."""

import os

# Before the import of mlflow, which reads them then; data.privacy has switched off its telemetry.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from training.track.best import best_run, find_figures, validation_of
from training.track.connection import check_driver, connect, sqlite_address, store
from training.track.registry import RegisteredModel, check_model_name, fetch_model, register_onnx, resolve_model
from training.track.rounds import RoundRun, list_rounds, round_of, tag_round
from training.track.run_log import log_config, log_file, log_metrics, open_run, scratch, set_tags
from training.track.runs import (
    PREDICTIONS_FILE,
    FinishedRun,
    RunSummary,
    check_unfinished,
    fetch_file,
    find_run,
    finished_children,
    has_file,
    list_files,
    load_config,
    load_data_record,
    name_of,
    summarise,
    tag_origin,
)

__all__ = [
    "PREDICTIONS_FILE",
    "FinishedRun",
    "RegisteredModel",
    "RoundRun",
    "RunSummary",
    "best_run",
    "check_driver",
    "check_model_name",
    "check_unfinished",
    "connect",
    "fetch_file",
    "fetch_model",
    "find_figures",
    "find_run",
    "finished_children",
    "has_file",
    "list_files",
    "list_rounds",
    "load_config",
    "load_data_record",
    "log_config",
    "log_file",
    "log_metrics",
    "name_of",
    "open_run",
    "register_onnx",
    "resolve_model",
    "round_of",
    "scratch",
    "set_tags",
    "sqlite_address",
    "store",
    "summarise",
    "tag_origin",
    "tag_round",
    "validation_of",
]
