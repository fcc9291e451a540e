"""The environment like the GPU machine's is made by one process; whoever needs it waits."""

import fcntl
from pathlib import Path

import pytest

from benchmarks.gpu.environment import alone


def test_nobody_takes_the_environment_while_it_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "environment"
    with alone(folder), folder.with_suffix(".lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with alone(folder):  # free again
        assert not folder.exists()
