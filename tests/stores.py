"""Stores of tests: an empty one is a copy of a migrated database; to name one, MLflow must forget the one before."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def clean_environment() -> dict[str, str]:
    """That of this process for a child, without what MLflow leaves in it: the address of an earlier test's store."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}


def forget_mlflow(patch: pytest.MonkeyPatch) -> None:
    """MLflow leaves the number of an experiment in the environment, which another store does not know."""
    for key in [key for key in os.environ if key.startswith("MLFLOW_") and key != "MLFLOW_DISABLE_TELEMETRY"]:
        patch.delenv(key)


def name_store(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The store in `folder` is the one in use, by child processes as well."""
    forget_mlflow(patch)
    # the copied experiment points at the folder it was made in; one of another name is made here
    patch.setenv("DC3_EXPERIMENT", "test")
    patch.setenv("DC3_STORE", str(folder))


@contextmanager
def use_store(folder: Path, migrated_database: Path) -> Iterator[None]:
    """A new store in `folder`, named for the block: for fixtures that several tests share."""
    folder.mkdir(exist_ok=True)
    shutil.copy(migrated_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        name_store(folder, patch)
        yield
