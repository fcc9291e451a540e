"""The columns of a vote table, and what to do with the tables of other tools, which have others."""

import re
from pathlib import Path

import pandas as pd

from data.errors import name_some

COLUMNS = ("image", "label", "annotator", "votes", "seconds")
"""Of a vote table; the last three are optional."""

_OTHER_NAMES = {
    "image": ("filename", "file_name", "file", "image_name", "image_path", "path", "img", "image_id", "url"),
    "label": ("choice", "class", "category", "label_name", "class_label", "annotation", "value", "answer"),
}
"""What other tools call them, lower case, the surest first."""
_FILE = re.compile(r"\.(jpe?g|png|tiff?|webp|bmp|gif)$", re.IGNORECASE)


def describe_missing(rows: pd.DataFrame, path: Path) -> str:
    """What a table without image or label lacks, and the remedy by what it looks like."""
    given = [str(name) for name in rows.columns]
    missing = [name for name in COLUMNS[:2] if name not in given]
    text = f"Vote table {path} lacks the column(s) {name_some(missing)}; it has {name_some(given)}. "
    if len(given) == 1 and (sign := _find_separator(given[0])):
        read = "It is read as one column: commas, semicolons, tabs or a first line `sep=` tell where cells end. "
        if sign == " " or given[0].startswith(sign):
            return text + read + f"Write commas instead of {'spaces' if sign == ' ' else sign}."
        return text + read + f"Make the first line sep={sign}" + (", or remove it." if sign in ",;\t" else ".")
    if first := _find_row_as_header(rows):
        return text + (
            f"Its first line seems to be a row, no header ({first}): put a line with the names of the columns above it,"
            " image,label for example."
        )
    if _holds_json(rows):
        return text + "Its cells hold JSON, as exports of Zooniverse do: write one row a vote, columns image and label."
    renamed = {name: _find_other(name, given) for name in missing}
    if all(renamed.values()):
        return text + "Rename " + name_some([f"{old} to {name}" for name, old in renamed.items()]) + "."
    if "image" in given and len(given) > 2:
        return text + (
            f"If each column is an annotator, make it one row a vote: pandas.read_csv({path.name!r}, dtype=str).melt("
            "'image', var_name='annotator', value_name='label').dropna().to_csv('votes.csv', index=False)."
        )
    return text + "Write one row a vote with columns image and label, and annotator where you know it."


def _find_other(name: str, given: list[str]) -> str:
    plain = {column.strip().casefold().replace(" ", "_"): column for column in given}
    return next((plain[other] for other in _OTHER_NAMES[name] if other in plain), "")


def _find_separator(header: str) -> str:
    """What separates the names of a header that was read as one; empty where nothing does."""
    return next((sign for sign in ("|", ",", ";", "\t", " ") if len(set(COLUMNS) & _split(header, sign)) > 1), "")


def _split(header: str, sign: str) -> set[str]:
    return {name.strip(' "').casefold() for name in header.split(sign)}


def _find_row_as_header(rows: pd.DataFrame) -> str:
    """A column's name that is a file's, or a value of the column too."""
    for place, name in enumerate(map(str, rows.columns)):
        if _FILE.search(name) or (rows.iloc[:, place].astype(str) == name).any():
            return name
    return ""


def _holds_json(rows: pd.DataFrame) -> bool:
    return any(
        isinstance(value, str) and value.lstrip().startswith(("{", "[{")) for value in rows.head(1).to_numpy().ravel()
    )
