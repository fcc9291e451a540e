"""Fixtures that all suites share: a store of their own, and tiny trainings."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.order import make_scheduler, sort_by_length
from tests.shared import make_once
from tests.stores import clean_environment, name_store

# One thread each: tests run side by side, and equal weights need equal summation
os.environ.setdefault("OMP_NUM_THREADS", "1")

CIFAR10H = Path(__file__).parents[2] / "shared" / "data" / "cifar10h"


def pytest_configure(config: pytest.Config) -> None:
    """Not in pyproject.toml: pytest would import SQLAlchemy, which a borrowed GPU machine has not."""
    if importlib.util.find_spec("sqlalchemy"):
        # MLflow 3.17 uses a loader strategy that SQLAlchemy 2.1 deprecates
        config.addinivalue_line("filterwarnings", "ignore::sqlalchemy.exc.SADeprecationWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only among several workers: alone, what is quick comes as it stands."""
    if hasattr(config, "workerinput"):
        sort_by_length(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Files that share a server go to one worker, long ones first."""
    return make_scheduler(config, log)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its tables: making them takes seconds, copying them none."""
    code = "from training import track; track.connect()"

    def migrate(folder: Path) -> None:
        subprocess.run(
            [sys.executable, "-c", code], check=True, env=clean_environment() | {"DC3_STORE": str(folder)}, timeout=600
        )

    return make_once(tmp_path_factory, "mlflow", migrate) / "mlflow.db"


@pytest.fixture
def store(migrated_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store in the test's own folder, named by DC3_STORE."""
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copy(migrated_database, folder / "mlflow.db")
    name_store(folder, monkeypatch)
    return folder


@pytest.fixture(scope="session")
def tiny() -> Callable[..., object]:
    """A configuration that trains in about a second; sections are changed by keyword."""
    from training.config import load_preset

    def make(**changes: dict[str, object] | str) -> object:
        config = load_preset("digits")
        defaults: dict[str, dict[str, object]] = {
            "data": {"size": 16},
            "batches": {"batch_size": 8},
            "loop": {"steps": 4, "evaluate_every": 2, "log_every": 2},
            "runtime": {"device": "cpu", "precision": "float32"},
        }
        for section, values in defaults.items():
            config = replace(config, **{section: replace(getattr(config, section), **values)})
        for section, value in changes.items():
            new = replace(getattr(config, section), **value) if isinstance(value, dict) else value
            config = replace(config, **{section: new})
        return config

    return make


@pytest.fixture(scope="session")
def cifar10h() -> Path:
    """The folder of the real data; tests that need it skip loudly without it."""
    if not (CIFAR10H / "images.zip").is_file():
        pytest.skip(f"REAL DATA MISSING: no images.zip and votes.csv in {CIFAR10H}")
    return CIFAR10H
