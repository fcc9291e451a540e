"""Votes of any form written as one table, with the images that some forms carry."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from data.errors import InputError
from data.tables.columns import IGNORED
from data.votes.forms.given import open_given
from data.votes.forms.hugging_face import images_of
from data.votes.ignored import mark_ignored
from data.votes.reader import VoteTable


def write_votes(table: VoteTable, path: Path) -> None:
    """All rows, those that say 'cannot tell' marked; `path` holds the whole table or what it held before."""
    rows = mark_ignored(table.rows, table.ignored)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if path.suffix.lower() == ".parquet":
        rows.to_parquet(part, index=False)
    else:
        rows.to_csv(part, index=False)
    part.replace(path)


def write_images(tables: Sequence[Path], folder: Path) -> int:
    """Writes the images that tables carry, and returns how many.

    Raises InputError where no table carries any, or one's name leads out of the folder.
    """
    images = [image for path in tables for image in images_of(open_given(path))]
    if not images:
        raise InputError("--images-to: none of the tables carries images.")
    root = folder.resolve()
    for name, content in images:
        path = (root / name).resolve()
        if root not in path.parents:
            raise InputError(f"--images-to: the image {name} would lie outside {folder}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(images)


def summarise_votes(rows: pd.DataFrame, n_ignored: int) -> list[str]:
    """What a table holds, in lines of text."""
    votes = pd.to_numeric(rows["votes"]) if "votes" in rows else pd.Series(1, rows.index)
    n_images, n_votes = rows["image"].nunique(), int(votes.sum())
    people = rows["annotator"][rows["annotator"] != ""].nunique() if "annotator" in rows else 0
    named = f", {people} annotators" if people else ", annotators not named"
    lines = [f"{n_images} images, {n_votes} votes, {n_votes / max(n_images, 1):.1f} an image{named}"]
    if n_ignored:
        lines.append(f"{n_ignored} row(s) that say 'cannot tell', kept in column {IGNORED}")
    by_label = votes.groupby(rows["label"]).sum().sort_values(ascending=False)
    return lines + [f"  {int(n):>9} {label}" for label, n in by_label.items()]
