"""What is recorded of a run while it is open."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource
from mlflow.exceptions import MlflowException

from data.errors import InputError
from training.batches.data_record import DataRecord, write_record, write_split
from training.config import Config, flatten, to_json
from training.track.connection import connect, reason_of, store_name

CONFIG_FILE = "config.json"
DATA_FILE = "data.parquet"
SPLIT_FILE = "split.csv"
FINGERPRINT = "dc3.fingerprint"
"""Tag: runs with the same value saw the same data."""
VALIDATION = "dc3.validation"
"""Tag: runs with the same value were measured on the same images."""


@contextmanager
def open_run(
    name: str, *, run_id: str | None = None, parent: str | None = None, tags: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Opens a new run (nested below `parent`), or an old one again, and yields its id; an error marks it failed.

    Raises InputError when the store does not take what is recorded, with the way to go on once it does.
    """
    connect()
    # `mlflow run` has opened a run for us already and passes its id on: it is ours unless we are a child
    inherited = None if parent else os.environ.pop("MLFLOW_RUN_ID", None)
    run_id = run_id or inherited
    all_tags = dict(tags or {}) | _code_tags()
    start = mlflow.start_run(
        run_id=run_id, run_name=name, nested=parent is not None, parent_run_id=parent, tags=None if run_id else all_tags
    )
    try:
        with start as run:
            if run_id:
                mlflow.set_tags(all_tags)
            yield run.info.run_id
    except MlflowException as error:
        raise InputError(
            f"Run {start.info.run_id} cannot be recorded in {store_name()} ({reason_of(error)}); once it can,"
            f" go on: dc3 train and dc3 compare by --resume {start.info.run_id}, dc3 tune by itself."
        ) from error


def log_config(config: Config, data: DataRecord, left_out: Sequence[str], notices: Sequence[str]) -> None:
    """Records the data, the configuration as used, and, last of all, what says that the record is whole."""
    with scratch() as folder:
        write_record(data, folder / DATA_FILE)
        mlflow.log_artifact(str(folder / DATA_FILE))
    mlflow.log_text(write_split(data), SPLIT_FILE)
    for lines, name in ((left_out, "left_out.txt"), (notices, "notices.txt")):
        if lines:
            mlflow.log_text("\n".join(lines), name)
    mlflow.log_params({key: str(value) for key, value in flatten(asdict(config)).items()})
    mlflow.set_tags({FINGERPRINT: data.fingerprint, VALIDATION: data.validation_id})
    mlflow.set_tags({"dc3.classes": ", ".join(data.classes)[:4000]})
    source = LocalArtifactDatasetSource(config.data.images or f"embedded:{config.data.source}")
    mlflow.log_input(MetaDataset(source, name=config.data.source, digest=data.fingerprint), context="training")
    mlflow.log_text(to_json(config), CONFIG_FILE)


def log_metrics(values: Mapping[str, float], step: int | None = None) -> None:
    """Records values of the open run."""
    mlflow.log_metrics(dict(values), step=step)


def log_file(path: Path, folder: str | None = None) -> None:
    """Stores a file, or all files of a folder, with the open run."""
    log = mlflow.log_artifacts if path.is_dir() else mlflow.log_artifact
    log(str(path), folder)


def set_tags(tags: Mapping[str, str]) -> None:
    """Marks the open run."""
    mlflow.set_tags(dict(tags))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for files on their way into the store."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _code_tags() -> dict[str, str]:
    """Commit of the code and whether it was changed since; empty outside a git checkout."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True, stderr=subprocess.DEVNULL)
        changed = subprocess.check_output(["git", "status", "--porcelain"], cwd=folder, text=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"mlflow.source.git.commit": commit.strip(), "dc3.uncommitted_changes": str(bool(changed.strip())).lower()}
