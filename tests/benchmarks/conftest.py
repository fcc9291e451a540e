"""A small prepared data set, and a call of the benchmark that does not start any process."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu.data import write_data
from benchmarks.gpu.environment import alone
from benchmarks.gpu.settings import Settings, write_settings
from data.ingest import Dataset

ROOT = Path(__file__).parents[2]
N_IMAGES, N_CLASSES = 90, 3


def make_dataset() -> Dataset:
    """Three classes of different brightness, with two to seven votes an image."""
    random = np.random.default_rng(0)
    classes = np.arange(N_IMAGES) % N_CLASSES
    images = random.integers(0, 100, (N_IMAGES, 32, 32, 3)) + 70 * classes[:, None, None, None]
    votes = 5 * np.eye(N_CLASSES, dtype=np.int64)[classes] + random.integers(0, 3, (N_IMAGES, N_CLASSES))
    names = tuple(f"{number:03d}.png" for number in range(N_IMAGES))
    return Dataset(images.astype(np.uint8), names, votes, ("dark", "grey", "light"), "0123", ())


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data as it travels."""
    folder = tmp_path_factory.mktemp("gpu") / "data"
    write_data(make_dataset(), "c0ffee", folder)
    return folder


@pytest.fixture
def settings(prepared: Path, tmp_path: Path) -> Settings:
    """A call over empty folders."""
    return make_settings(prepared, tmp_path)


def make_settings(data: Path, folder: Path, **changes: object) -> Settings:
    output, work = folder / "output", folder / "work"
    for path in (output, work):
        path.mkdir(exist_ok=True)
    about = {"card": "a card", "torch": "2.11.0", "command": "python -m benchmarks.gpu", "commit": "c", "dry_run": True}
    made = Settings(data, output, work, 100.0, ("tests", "step", "training", "features"), True, "cpu", 1, about)
    made = replace(made, **changes)  # type: ignore[arg-type]
    write_settings(made)
    return made


@pytest.fixture(scope="session")
def machine_python() -> str:
    """Python with the GPU machine's torch where `benchmarks.gpu.environment` made it, else the one that runs this."""
    if named := os.environ.get("DC3_GPU_PYTHON"):
        return named
    folder = ROOT / "build" / "gpu-environment"
    with alone(folder):
        return str(folder / "bin" / "python") if (folder / "done").exists() else sys.executable
