"""The parts in order of worth, and the process that runs each."""

import sys
from typing import NamedTuple

from benchmarks.gpu.gpu_tests import pytest_command
from benchmarks.gpu.settings import Settings, child_command


class Part(NamedTuple):
    """A part runs in a process of its own: what breaks there breaks nothing else."""

    name: str
    silent_s: float
    """An item that takes longer is given up, and the next begins."""
    finished: tuple[int, ...] = (0,)
    """Exit statuses of a process that came to its end."""


PARTS = (
    # pytest ends with 1 where a test failed and with 5 where none was left to run
    Part("tests", 60.0, (0, 1, 5)),
    Part("step", 75.0),
    Part("training", float("inf")),
    Part("features", 45.0),
)
"""Names as in `budget.SHARES`."""


def part_command(part: Part, settings: Settings) -> list[str]:
    """How the process of a part is started."""
    if part.name == "tests":
        return pytest_command(settings, sys.executable)
    return child_command(part.name, settings)
