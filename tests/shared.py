"""What is dear to make and only read afterwards is made once for all workers of pytest-xdist."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name`, which `make` has filled in this worker or in another; whoever changes it works on a copy.

    Where `make` fails, the next one who asks tries anew in another folder.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has a folder of its own in it
    finished = root / f"{name} is in"
    with (root / f"{name} lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            folder = factory.mktemp(name)
            make(folder)
            finished.write_text(str(folder))
    return Path(finished.read_text())
