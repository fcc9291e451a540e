"""One measured figure with its interval and its numbers, or the reason why it could not be measured."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from data.errors import InputError


@dataclass(frozen=True)
class MeasureOptions:
    """How agreement and time are measured."""

    resamples: int = 1000
    """Bootstrap resamples of the images; fewer (200 at least) where a figure has very many answers."""
    seed: int = 0
    """Of the bootstrap: the same seed gives the same intervals."""
    cap_seconds: float = 0.0
    """Longest time that a task counts for, single image or cluster; 0 takes three times the 90th percentile of the
    tasks of its kind, both arms together."""
    session_minutes: float = 30.0
    """A longer pause than this begins a new session; the first task of a session is left out of the times."""

    def check(self) -> None:
        """Raises InputError with every value out of range."""
        faults = []
        if self.resamples < 200:
            faults.append(f"--resamples must be at least 200 for a 95 % interval, it is {self.resamples}")
        if self.cap_seconds < 0:
            faults.append(f"--cap-seconds must not be negative, it is {self.cap_seconds}")
        if self.session_minutes <= 0:
            faults.append(f"--session-minutes must be above 0, it is {self.session_minutes}")
        if faults:
            raise InputError("; ".join(faults))


class Measure(NamedTuple):
    """A row of the report; its fields are the columns of the CSV."""

    section: str
    name: str
    scope: str
    """Whose answers: an arm, all, votes before, a difference of arms, an annotator, a class."""
    value: float
    """NaN where it could not be measured: `note` says why."""
    low: float
    """95 % interval; NaN where it has none: `note` says why."""
    high: float
    unit: str
    """Empty for coefficients, %, s or min."""
    images: int
    pairs: int
    """Pairs of answers that were compared; 0 where the figure compares none."""
    answers: int
    note: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether there is no figure, but a reason."""
        return math.isnan(self.value)


def missing(section: str, name: str, scope: str, reason: str, unit: str = "") -> Measure:
    """A figure that cannot be measured; `reason` says why, and what would be needed."""
    return Measure(section, name, scope, math.nan, math.nan, math.nan, unit, 0, 0, 0, reason)
