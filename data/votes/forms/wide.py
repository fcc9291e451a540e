"""What wide tables share: which column names the image, and which others can be neither class nor annotator."""

from typing import NamedTuple

import pandas as pd

from data.errors import InputError
from data.tables.columns import find_role, looks_like_file, plain

OTHERS = frozenset(
    {
        *("id", "index", "row", "usage", "split", "fold", "part", "set", "subset", "width", "height", "size", "depth"),
        *("channels", "total", "sum", "n", "count", "votes", "n_votes", "num_votes", "seconds", "round", "trial"),
        *("session", "batch", "date", "time", "timestamp", "created_at", "updated_at", "comment", "comments", "note"),
        *("notes", "pixels", "entropy", "agreement", "url", "path", "majority", "consensus", "truth", "gold"),
    }
)
"""Columns that are neither a class nor an annotator, lower case: they are named as not used."""


class Wide(NamedTuple):
    """A wide table, taken apart."""

    image: pd.Series
    """Names; row numbers from 0 where no column names images."""
    others: pd.DataFrame
    """All other columns that have a name."""
    notices: tuple[str, ...]
    has_names: bool = True
    """Whether something in the table names the images."""


def take_apart(rows: pd.DataFrame, source: str) -> Wide:
    """Finds the image's column: by its name, by holding names of image files, an index without name, or row numbers."""
    named = [name for name in rows.columns if str(name)]
    column = find_role("image", [name for name in named if plain(name) != "id"])
    column = column or next((name for name in named if looks_like_file(rows[name])), None)
    column = column or find_role("image", named)
    if column is None and "" in rows:
        return Wide(
            rows[""].astype(str), rows[named], (f"{source}: the first column has no name and is taken as the image",)
        )
    if column is None:
        numbers = pd.Series([str(number) for number in range(len(rows))], rows.index)
        return Wide(numbers, rows[named], (f"{source}: no column names images; they are called by row, from 0",), False)
    others = rows[[name for name in named if name != column]]
    notices = () if plain(column) == "image" else (f"{source}: {column} is read as the image",)
    return Wide(rows[column].astype(object).fillna("").astype(str).str.strip(), others, notices)


def numbers_of(column: pd.Series) -> pd.Series | None:
    """The column as numbers from 0 up, empty cells NaN; None where a cell is something else."""
    text = column.astype(object).where(column.notna(), "").astype(str).str.strip()
    if (text.str.fullmatch(r"\d+,\d+")).any():
        text = text.str.replace(",", ".", regex=False)
    found = pd.to_numeric(text, errors="coerce")
    missing = text.str.casefold().isin(("", "na", "nan", "none", "null", "<na>"))
    if (found.isna() & ~missing).any() or (found < 0).any() or missing.all():
        return None
    return found


def without_images(wide: Wide, used: pd.Series, source: str) -> tuple[str, ...]:
    """How many rows name no image, in words; `used` are the votes of each row."""
    empty = wide.image == ""
    if not empty.any():
        return ()
    return (
        f"{source}: {int(empty.sum())} row(s) name no image and are left out with their"
        f" {int(used[empty].sum())} vote(s)",
    )


def refuse_empty(rows: pd.DataFrame, source: object) -> None:
    """Raises InputError where no vote is left."""
    if not len(rows):
        raise InputError(f"Vote table {source} holds no vote: every cell is empty or 0.")
