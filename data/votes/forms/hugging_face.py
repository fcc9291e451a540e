"""Hugging Face image sets: .parquet with a column of images (bytes and path) and one of class numbers."""

import json
from typing import Any

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import find_role
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions


class HuggingFace(Form):
    """A vote a row; images are called by their path, or by their row, classes as the set's features say."""

    meaning = "Hugging Face image set"

    def recognises(self, given: Given) -> Claim | None:
        if given.schema is None or given.rows is None or _find_images(given.rows) is None:
            return None
        return Claim(SURE + 1, "it has a column of images with bytes and path")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        rows = given.rows
        image = _find_images(rows) if rows is not None else None
        if rows is None or image is None:
            raise InputError(f"Vote table {given.path} has no column of images with bytes and path.")
        rest = [str(name) for name in rows.columns if name != image]
        label = find_role("label", rest) or next((name for name in ("labels", "fine_label") if name in rest), None)
        if label is None:
            raise InputError(f"{given.path} has images, but no column label; it has {name_some(rest)}.")
        source = given.path.name
        names, named = _name_images(given, rows[image])
        classes = _find_classes(given, label)
        votes = [(names[row], value) for row, cell in enumerate(rows[label]) for value in _list_labels(cell)]
        table = pd.DataFrame(votes, columns=["image", "label"], dtype=object)
        table["label"] = [classes.get(value, str(value)) for value in table["label"]]
        annotator = find_role("annotator", rest)
        if annotator and len(table) == len(rows):
            table["annotator"] = rows[annotator].astype(str).to_numpy(object)
        unused = [name for name in rest if name not in (label, annotator)]
        notices = [] if named else [f"{source}: images have no path and are called {names[0]}, ..., by their row"]
        if unused:
            notices.append(f"{source}: column(s) that are not understood and not used: {name_some(unused)}")
        left = sum(not _list_labels(cell) for cell in rows[label])
        if left:
            notices.append(f"{source}: {left} row(s) without a label, left out")
        if not len(table):
            raise InputError(f"{given.path} has no row with a label.")
        return Answers(table, tuple(notices))


def _find_images(rows: pd.DataFrame) -> str | None:
    for name in rows.columns:
        first = next((cell for cell in rows[name].head(100) if cell is not None), None)
        if isinstance(first, dict) and {"bytes", "path"} <= set(first):
            return str(name)
    return None


def images_of(given: Given) -> list[tuple[str, bytes]]:
    """Names, as `HuggingFace` gives them, and contents of the images that a table carries; none where it has none."""
    rows = given.rows
    image = _find_images(rows) if rows is not None else None
    if rows is None or image is None:
        return []
    names, _ = _name_images(given, rows[image])
    return [(name, cell["bytes"]) for name, cell in zip(names, rows[image], strict=True) if cell and cell["bytes"]]


def _name_images(given: Given, cells: pd.Series) -> tuple[list[str], bool]:
    """A name an image, and whether it is the path of the set; else the table's name and the row."""
    paths = [str((cell or {}).get("path") or "") for cell in cells]
    if all(paths) and len(set(paths)) == len(paths):
        return paths, True
    return [f"{given.path.stem}_{row:06d}.png" for row in range(len(cells))], False


def _list_labels(cell: object) -> list[Any]:
    """One class, several votes, or none (-1 and empty cells)."""
    values = list(cell) if isinstance(cell, (list, tuple, np.ndarray)) else [cell]
    values = [int(value) if isinstance(value, (float, np.floating)) and value == value else value for value in values]
    return [value for value in values if value is not None and value == value and value != -1 and value != ""]


def _find_classes(given: Given, label: str) -> dict[Any, str]:
    """Class number -> name, as the set's features say; empty where they do not."""
    try:
        feature = json.loads((given.schema or {})[b"huggingface"])["info"]["features"][label]
        feature = feature.get("feature", feature)
        return dict(enumerate(map(str, feature["names"])))
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}
