"""Tables that people hand in: .csv or .parquet to columns of text and of numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from training.errors import InputError, name_some


def read_table(path: Path, kind: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Reads a table as it stands; those of the named columns that it has get their type.

    Args:
        path: CSV in UTF-8, or Parquet where its name ends so.
        kind: what the table is, for the messages.
        text: columns of text; a cell without a value is "". A class may well be called 'NA' or 'null'.
        numbers: columns of numbers; a cell without a value is NaN.

    Raises:
        InputError: the file cannot be read, or a cell is not of its column's type; names the rows, counted from 1.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            empty = {column: [""] for column in numbers}
            table = pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=empty)
        names = {column: _to_text(table[column]) for column in text if column in table}
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"{kind} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
    figures, faults = {}, []
    for column in numbers:
        if column not in table:
            continue
        figures[column], bad = _to_numbers(table[column])
        if bad:
            faults.append(f"{column} must be numbers: {name_some(bad)}")
    if faults:
        raise InputError(f"{kind} {path} cannot be used:\n- " + "\n- ".join(faults))
    return table.assign(**names, **figures)


def _to_text(column: pd.Series) -> pd.Series:
    return column.astype(object).fillna("").astype(str)  # by object, as categories and times take no ""


def _to_numbers(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """The column as numbers, and the cells that are none."""
    if pd.api.types.is_numeric_dtype(column):
        return column if isinstance(column.dtype, np.dtype) else column.astype(float), []
    given = column.astype(object).fillna("").map(str).str.strip()
    found = pd.to_numeric(given, errors="coerce")
    bad = (found.isna() & (given != "")).to_numpy().nonzero()[0]
    return found, [f"row {row + 1}: {given.iloc[row]!r}" for row in bad]
