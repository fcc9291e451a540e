"""What a vote table says of the round of relabelling that it came from."""

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError

_KEY = b"dc3"


class VerdictFile(NamedTuple):
    """A table of annotators' answers that was merged in."""

    name: str
    sha256: str


class Round(NamedTuple):
    """Where merged votes come from."""

    number: int
    """1 for the first relabelling."""
    parent_run: str
    """The run whose proposals were judged."""
    verdicts: tuple[VerdictFile, ...]
    """Of this round and of those before."""


def read_round(votes: Path) -> Round | None:
    """The round recorded in a merged vote table; None for raw votes.

    Raises InputError when the record is not ours.
    """
    if votes.suffix.lower() != ".parquet" or not votes.is_file():
        return None
    try:
        text = (pq.read_schema(votes).metadata or {}).get(_KEY)
        if text is None:
            return None
        values = json.loads(text)
        files = tuple(VerdictFile(file["name"], file["sha256"]) for file in values["verdicts"])
        return Round(int(values["round"]), str(values["parent_run"]), files)
    except (pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{votes} holds no readable record of its round ({error}); merge it again.") from error


def attach_round(table: pa.Table, merged: Round) -> pa.Table:
    """The table with the round recorded in its metadata."""
    values = {
        "round": merged.number,
        "parent_run": merged.parent_run,
        "verdicts": [file._asdict() for file in merged.verdicts],
    }
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: json.dumps(values)})
