"""The contract of a form in which votes come."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from data.tables.reader import Cells
from data.votes.options import VoteOptions

SURE, LIKELY = 2, 1
"""By the structure alone; by what the cells hold."""


@dataclass(frozen=True)
class Given:
    """What lies at a path, read once, so that every form can look at it; what it is not, is None."""

    path: Path
    cells: Cells | None = None
    """Of a table, also of JSON rows whose values are no lists or records."""
    json: Any = None
    xml: Element | None = None
    files: tuple[str, ...] | None = None
    """Of a folder: its images, with forward slashes."""
    arrays: Mapping[str, np.ndarray] | None = None
    """Arrays of numbers by name, as PyTorch and NumPy store them."""
    schema: Mapping[bytes, bytes] | None = None
    """What a .parquet says of itself."""

    @property
    def rows(self) -> pd.DataFrame | None:
        """The cells of a table."""
        return None if self.cells is None else self.cells.rows


class Claim(NamedTuple):
    """That something is of a form."""

    sureness: int
    why: str
    """In words, for a person who has to choose between two."""


class Answers(NamedTuple):
    """Votes as rows."""

    rows: pd.DataFrame
    """image and label as text, and what there is of annotator, votes, seconds, round, ignored and a time."""
    notices: tuple[str, ...] = ()
    """What was left out, taken as something or is unknown, in words."""


class Form(ABC):
    """One form; one file each in `forms/`, one line each in FORMS."""

    meaning: str
    """What it is, for the notice 'read as: ...'."""

    @abstractmethod
    def recognises(self, given: Given) -> Claim | None:
        """Why this is the form; None where it is not."""

    @abstractmethod
    def read(self, given: Given, options: VoteOptions) -> Answers:
        """The votes.

        May be called, by --form, on what it does not recognise. Raises InputError that says what is lacking.
        """
