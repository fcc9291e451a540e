"""The one home of MLflow: where runs are stored, what of them is recorded, how they are found again."""

import os

# Before the import of mlflow: it reads them then. A lab's data is no business of a telemetry server.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from training.track.connection import connect, store
from training.track.reading import reading_of
from training.track.recording import log_config, log_file, log_metrics, open_run, scratch, set_tags
from training.track.registry import RegisteredModel, check_model_name, fetch_model, register_onnx, resolve_model
from training.track.rounds import RoundRun, list_rounds, round_of, tag_round
from training.track.runs import (
    FinishedRun,
    RunSummary,
    best_run,
    fetch_file,
    find_run,
    finished_children,
    has_file,
    load_config,
    summarise,
)

__all__ = [
    "FinishedRun",
    "RegisteredModel",
    "RoundRun",
    "RunSummary",
    "best_run",
    "check_model_name",
    "connect",
    "fetch_file",
    "fetch_model",
    "find_run",
    "finished_children",
    "has_file",
    "list_rounds",
    "load_config",
    "log_config",
    "log_file",
    "log_metrics",
    "open_run",
    "reading_of",
    "register_onnx",
    "resolve_model",
    "round_of",
    "scratch",
    "set_tags",
    "store",
    "summarise",
    "tag_round",
]
