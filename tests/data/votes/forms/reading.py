"""What a table, written as text, is read as."""

from pathlib import Path

from data.votes.options import VoteOptions
from data.votes.reader import VoteTable, join_votes


def read(folder: Path, text: str, name: str = "v.csv", **options: object) -> VoteTable:
    """Writes the text and reads it."""
    (folder / name).write_text(text, encoding="utf-8")
    return join_votes((folder / name,), (), VoteOptions(**options))  # type: ignore[arg-type]


def count(table: VoteTable) -> dict[tuple[str, str], int]:
    """(image, label) -> votes."""
    votes = table.rows["votes"] if "votes" in table.rows else [1] * len(table.rows)
    found: dict[tuple[str, str], int] = {}
    for image, label, n in zip(table.rows["image"], table.rows["label"], votes, strict=True):
        found[image, label] = found.get((image, label), 0) + int(n)
    return found


def say(table: VoteTable) -> str:
    """All notices."""
    return "\n".join(table.notices)
