"""Results as JSON lines: each is on disk the moment it is known, so that a cut loses only the part in hand."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.gpu.settings import Settings

FILE = "results.jsonl"
DONE = ("ok", "skipped")
"""States that a later call need not repeat."""

Line = dict[str, Any]


def add_line(settings: Settings, part: str, item: str, state: str, **values: object) -> None:
    """Appends one line to the output and to the work folder, and waits until it is on disk.

    Args:
        state: ok, error, skipped, cut, evaluated or info.
        values: what was found; NaN and infinity become null, so that every reader of JSON can read the line.
    """
    line = {"part": part, "item": item, "state": state, "call": settings.call}
    line |= values | settings.about | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
    text = json.dumps(_finite(line)) + "\n"
    for folder in (settings.work, settings.output):
        _append(folder / FILE, text)


def _append(path: Path, text: str) -> None:
    """One write call on a file opened for appending: lines of several processes do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def read_lines(path: Path) -> list[Line]:
    """All whole lines; one that a cut tore is left out. Empty where there is no file yet."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and {"part", "item", "state"} <= line.keys():
            lines.append(line)
    return lines


def items_done(settings: Settings, part: str) -> set[str]:
    """Items of a part that are not to be run (again): done in any call, or tried in this one."""
    return {
        line["item"]
        for line in read_lines(settings.work / FILE)
        if line["part"] == part
        and (line["state"] in DONE or (line["call"] == settings.call and line["state"] in ("error", "cut")))
    }


def take_over(settings: Settings) -> None:
    """Brings the lines of earlier calls into the output, which may be a new folder."""
    lines = read_lines(settings.work / FILE)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    for folder in (settings.work, settings.output):
        work = folder / f"{FILE}.new"
        work.write_text(text, encoding="utf-8")
        work.replace(folder / FILE)
