"""Part 1: the tests of tests/gpu, which need no more than the machine has."""

from pathlib import Path

from benchmarks.gpu.results import add_line, items_done
from benchmarks.gpu.settings import Settings
from data.errors import InputError

ROOT = Path(__file__).parents[2]
PART = "tests"
FOLDER = ROOT / "tests" / "gpu"
MARK = "mark.gpu"


def pytest_command(settings: Settings, python: str) -> list[str]:
    """pytest over tests/gpu with a recorder of each result; tests marked gpu elsewhere are told as skipped.

    The project's filters of warnings are replaced: one names a class of SQLAlchemy, and a warning of another torch
    version is no fault of a GPU.
    """
    if not FOLDER.is_dir():
        raise InputError(f"No tests in {FOLDER}; is this tree whole?")
    done = items_done(settings, PART)
    for name in sorted(name for name in _marked_elsewhere() if name not in done):
        add_line(settings, PART, name, "skipped", reason="needs the whole environment: run make test on a GPU")
    options = ["-m", "gpu", "-o", "filterwarnings=default", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs"]
    return [python, "-m", "pytest", *options, "--continue-on-collection-errors", "-p", "benchmarks.gpu.recorder",
            str(FOLDER)]  # fmt: skip


def _marked_elsewhere() -> list[str]:
    """Files that may import what is not there: mlflow, optuna, bentoml."""
    paths = [path for path in FOLDER.parent.rglob("test_*.py") if FOLDER not in path.parents]
    return [path.relative_to(ROOT).as_posix() for path in paths if MARK in path.read_text("utf-8")]
