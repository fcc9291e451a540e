"""Part 1: the tests marked `gpu`, without the files of tests that need more than the machine has."""

from pathlib import Path

from benchmarks.gpu.results import add_line, items_done
from benchmarks.gpu.settings import Settings
from training.errors import InputError

ROOT = Path(__file__).parents[2]
PART = "tests"
MARK = "mark.gpu"


def find_files(tests: Path) -> list[Path]:
    """The files that hold tests marked gpu: others may import what is not there (mlflow, optuna, bentoml)."""
    return sorted(path for path in tests.rglob("test_*.py") if MARK in path.read_text("utf-8"))


def pytest_command(settings: Settings, python: str) -> list[str]:
    """pytest with a recorder of each result, over the tests of `training`; marked tests elsewhere are told as skipped.

    The project's filters of warnings are replaced: one names a class of SQLAlchemy, and a warning of another torch
    version is no fault of a GPU.
    """
    files = find_files(ROOT / "tests" / "training")
    if not files:
        raise InputError(f"No test below {ROOT / 'tests' / 'training'} is marked gpu; is this tree whole?")
    done = items_done(settings, PART)
    for path in set(find_files(ROOT / "tests")) - set(files):
        name = path.relative_to(ROOT).as_posix()
        if name not in done:
            add_line(settings, PART, name, "skipped", reason="needs the whole environment: run make test on a GPU")
    options = ["-m", "gpu", "-o", "filterwarnings=default", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs"]
    options.append("--continue-on-collection-errors")
    return [python, "-m", "pytest", *options, "-p", "benchmarks.gpu.recorder", *map(str, files)]
