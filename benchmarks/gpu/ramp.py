"""How many trainings share the card: one more step up as long as all together get faster."""

from collections.abc import Mapping
from typing import NamedTuple

LEVELS = (1, 2, 4, 8)
"""Processes at once."""
GAIN = 1.1
"""What a level must add to the speed of the one before; less is not worth that all of them finish later."""


class Level(NamedTuple):
    """How many trainings to run at once."""

    processes: int
    settled: bool
    """Whether the search is over."""


def next_level(speeds: Mapping[int, float]) -> Level:
    """The next number to try, or the one to stay at.

    Args:
        speeds: by number of processes, the speed of all together, in any unit.

    Example: {} starts at 1, {1: 100} tries 2, {1: 100, 2: 150} tries 4, {1: 100, 2: 105} stays at 1.
    """
    best = LEVELS[0]
    for level in LEVELS:
        if level not in speeds:
            return Level(level, False)
        if level != best and speeds[level] < GAIN * speeds[best]:
            return Level(best, True)
        best = level
    return Level(best, True)
