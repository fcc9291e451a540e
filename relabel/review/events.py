"""What the journal holds: questions shown, answers, and answers taken back; each one line of JSON."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Decision = Literal["label", "mixed", "skip"]
SELECTION = "selection"
"""The unit of an answer to images that the annotator chose on the map."""


@dataclass(frozen=True)
class Header:
    """First line of a journal: which proposals it belongs to."""

    model_version: str
    round: int
    format_version: int = 1


@dataclass(frozen=True)
class Shown:
    """A question was handed out; from now on the annotator's time may count."""

    annotator: str
    unit: str
    """Empty when nothing was left to ask."""
    at: str


@dataclass(frozen=True)
class Answer:
    """What an annotator answered to one question."""

    id: str
    """Drawn by the browser, the same when it sends an answer again."""
    annotator: str
    unit: str
    images: tuple[str, ...]
    proposals: tuple[str, ...]
    """The class that was shown as proposed for each image, empty where none was."""
    decision: Decision
    label: str
    """Empty unless `decision` is label."""
    excluded: tuple[str, ...]
    seconds: float
    """Spent on all images together."""
    at: str


@dataclass(frozen=True)
class Undo:
    """An answer was taken back; its line stays."""

    id: str
    annotator: str
    answer: str
    """Its id."""
    at: str


Event = Header | Shown | Answer | Undo
_KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in get_args(Event)}


def to_line(event: Event) -> bytes:
    """One line, with its end."""
    values = {"event": type(event).__name__.lower()} | asdict(event)
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def from_line(line: bytes) -> Event:
    """The event of a line; raises ValueError when it is none."""
    values = json.loads(line)
    kind = _KINDS.get(values.pop("event", "")) if isinstance(values, dict) else None
    if kind is None:
        raise ValueError("not an event of the review page")
    names = {field.name for field in fields(kind)}
    if set(values) != names:
        raise ValueError(f"{kind.__name__.lower()} must have {sorted(names)}, it has {sorted(values)}")
    arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return kind(**arguments)
