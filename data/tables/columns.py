"""The columns of a vote table, and the names that labs and tools give them."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from data.errors import InputError, name_some

COLUMNS = ("image", "label", "annotator", "votes", "seconds")
"""Of a vote table; the last three are optional."""
ROUND = "round"
"""Optional column that numbers an annotator's answers on the same image; `dc3 merge` writes it."""
TIMES = ("at", "updated_at", "created_at", "timestamp")
"""Columns that say when an answer was given; the first that a table has is taken."""
IGNORED = "ignored"
"""Optional column, true where the vote is kept but counts as 'cannot tell'; `dc3 votes --ignore-labels` writes it."""

_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "image": (
        ("image",),
        ("filename", "file_name", "file", "image_name", "imagename", "image_file", "image_filename"),
        ("image_path", "filepath", "file_path", "path", "img", "img_name", "img_path", "picture", "photo"),
        ("image_id", "image_url", "url"),
        ("id",),
    ),
    "label": (
        ("label",),
        # what somebody answered; the names below may be the truth beside it
        ("choice", "answer", "response", "object_response", "annotation", "annotated_label", "given_label", "vote"),
        ("class", "category", "label_name", "class_label", "class_name", "category_name", "value"),
    ),
    "annotator": (
        ("annotator",),
        ("annotator_id", "annotator_name", "worker", "worker_id", "workerid", "rater", "rater_id", "user", "user_name"),
        ("username", "user_id", "labeler", "labeller", "coder", "participant", "subj", "completed_by"),
    ),
    "votes": (("votes",), ("count", "counts", "n", "weight", "n_votes", "num_votes", "vote_count", "frequency")),
    "seconds": (("seconds",), ("lead_time", "rt", "reaction_time", "duration_seconds", "time_seconds")),
    ROUND: ((ROUND,),),
    IGNORED: ((IGNORED,),),
    **{name: ((name,),) for name in TIMES},
}
"""Role -> names, lower case with underscores, the surest first; of one line no table has two without a doubt."""
_TIME = ("time", "datetime", "date", "time_stamp", "submitted_at", "date_created")
"""A time of day where the values are times: `time` may as well hold seconds of work."""
_FILE = re.compile(r"\.(?:jpe?g|png|tiff?|webp|bmp|gif|avif|jp2|heic)$", re.IGNORECASE)


def plain(name: object) -> str:
    """A column's name in lower case with underscores: `Image name` is image_name."""
    return re.sub(r"[\s_.-]+", "_", str(name).strip().casefold()).strip("_")


def find_role(role: str, given: Iterable[object], path: Path | None = None) -> str | None:
    """The column that has a role by its name; None where none has.

    Raises InputError where two equally sure ones have it.
    """
    columns = [str(name) for name in given]
    for names in _NAMES[role]:
        found = [column for column in columns if plain(column) in names]
        exact = [column for column in found if column.strip().casefold() == role]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        if found and len({plain(column) for column in found}) == 1:
            return found[0]  # `label` and `Label`: the reader refuses what is written twice
        if found:
            raise InputError(
                f"Vote table {path or ''} has several columns for the {role}: {name_some(found)}. Rename the one that"
                f" is meant to {role}."
            )
    return None


def find_roles(rows: pd.DataFrame, path: Path) -> dict[str, str]:
    """Column -> role, for all roles that a table's columns have by their names."""
    roles: dict[str, str] = {}
    for role in _NAMES:
        column = find_role(role, [name for name in rows.columns if name not in roles], path)
        if column is not None:
            roles[column] = role
    if not set(TIMES) & set(roles.values()):
        named = [str(name) for name in rows.columns if plain(name) in _TIME and name not in roles]
        clocks = [name for name in named if _are_times(rows[name])]
        if clocks:
            roles[clocks[0]] = "timestamp"
    return roles


def _are_times(column: pd.Series) -> bool:
    """Whether the values are dates, or seconds since 1970: numbers from 1973 on, which no work takes."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    given = column.dropna().astype(str).str.strip()
    given = given[given != ""]
    numbers = pd.to_numeric(given, errors="coerce")
    if numbers.notna().any():
        return bool(numbers.min() > 1e8)
    return bool(len(given)) and bool(given.str.contains(r"\d").all())


def looks_like_file(column: pd.Series) -> bool:
    """Whether nine of ten values end as names of image files do."""
    values = column.dropna().astype(str).str.strip()
    values = values[values != ""]
    return bool(len(values)) and values.str.contains(_FILE).mean() >= 0.9


def describe_columns(roles: dict[str, str], unused: Sequence[str], source: str) -> list[str]:
    """What columns were taken for, and which are not understood, in words; nothing for the usual names."""
    notices = []
    renamed = [f"{column} as {role}" for column, role in roles.items() if plain(column) != role]
    if renamed:
        notices.append(f"{source}: columns read by their names: {name_some(renamed)}")
    if unused:
        notices.append(
            f"{source}: column(s) that are not understood and not used: {name_some(list(unused))}; where one says how"
            " many votes a row is, who gave it or when, rename it to votes, annotator or timestamp"
        )
    return notices


def describe_missing(rows: pd.DataFrame, path: Path) -> str:
    """What a table without image or label lacks, and the remedy by what it looks like."""
    given = [str(name) for name in rows.columns if str(name)]
    missing = [name for name in COLUMNS[:2] if find_role(name, given) is None]
    text = f"Vote table {path} lacks the column(s) {name_some(missing)}; it has {name_some(given)}. "
    if len(given) == 1 and (sign := _find_separator(given[0])):
        read = "It is read as one column: commas, semicolons, tabs or a first line `sep=` tell where cells end. "
        if sign == " " or given[0].startswith(sign):
            return text + read + f"Write commas instead of {'spaces' if sign == ' ' else sign}."
        return text + read + f"Make the first line sep={sign}" + (", or remove it." if sign in ",;\t|" else ".")
    if first := _find_row_as_header(rows):
        return text + (
            f"Its first line seems to be a row, no header ({first}): put a line with the names of the columns above it,"
            " image,label for example."
        )
    return text + (
        "Write one row a vote with columns image and label, and annotator where you know it. Where each column is an"
        " annotator, say --form wide_annotators, where each is a class, --form wide_counts; docs/votes.md lists all."
    )


def _find_separator(header: str) -> str:
    """What separates the names of a header that was read as one; empty where nothing does."""
    return next((sign for sign in ("|", ",", ";", "\t", " ") if len(set(COLUMNS) & _split(header, sign)) > 1), "")


def _split(header: str, sign: str) -> set[str]:
    return {name.strip(' "').casefold() for name in header.split(sign)}


def _find_row_as_header(rows: pd.DataFrame) -> str:
    """A column's name that is a file's, or a value of the column too."""
    for place, name in enumerate(map(str, rows.columns)):
        if name and (_FILE.search(name) or (rows.iloc[:, place].astype(str) == name).any()):
            return name
    return ""
