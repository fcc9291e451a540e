"""Tables that people hand in: .csv, .xlsx or .parquet to columns of text and of numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError, name_some
from data.tables.delimited import parse
from data.tables.text import read_text
from data.tables.workbook import is_workbook, read_workbook

NO_VALUE = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""What R, pandas and databases write where a number is missing."""


class Cells(NamedTuple):
    """A table as it stands in its file."""

    rows: pd.DataFrame
    """Its index counts the rows of the file from 0; empty ones are left out. A first column without a name, row numbers
    or an index, is called ``."""
    separator: str
    """Of delimited text; else empty."""
    notices: tuple[str, ...]
    """What its reader ought to know, in words."""


class Table(NamedTuple):
    """A table as it was written, with typed columns."""

    rows: pd.DataFrame
    """Its index counts the rows of the file from 0; empty ones are left out."""
    notices: tuple[str, ...]
    """What its reader ought to know, in words."""


def read_table(path: Path, kind: str, text: Sequence[str], numbers: Sequence[str]) -> Table:
    """Reads a table as it stands; those of the named columns that it has get their type.

    Args:
        path: delimited text, an Excel workbook, or Parquet where its name ends so. Names of columns may differ in case
            and spaces.
        kind: what the table is, for the messages.
        text: columns of text; a cell without a value is "". A class may well be called 'NA' or 'null'.
        numbers: columns of numbers; a cell without a value is NaN.

    Raises:
        InputError: the file cannot be read, or a cell is not of its column's type; names the rows, counted from 1.
    """
    return type_columns(read_cells(path, kind), path, kind, text, numbers)


def read_cells(path: Path, kind: str) -> Cells:
    """The cells of delimited text, .parquet or an Excel workbook; raises InputError where the file cannot be read."""
    if path.suffix.lower() == ".parquet":
        return Cells(_read_parquet(path, kind), "", ())
    if is_workbook(path):
        return Cells(*read_workbook(path, kind))
    content, notice = read_text(path, kind)
    rows, separator = parse(content, path, kind)
    return Cells(rows, separator, (notice,) if notice else ())


def type_columns(cells: Cells, path: Path, kind: str, text: Sequence[str], numbers: Sequence[str]) -> Table:
    """The named columns in their types; arguments and errors as of `read_table`."""
    rows = _name_columns(cells.rows, (*text, *numbers), path, kind)
    rows = rows.drop(columns="", errors="ignore")
    for column in text:
        if column in rows:
            _refuse_lists(rows[column], path, kind)
    try:
        names = {column: _to_text(rows[column]) for column in text if column in rows}
    except (ValueError, TypeError) as error:
        raise InputError(f"{kind} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
    figures, faults = {}, []
    for column in numbers:
        if column not in rows:
            continue
        given = _from_decimal_comma(rows[column]) if cells.separator not in ("", ",") else rows[column]
        figures[column], bad = to_numbers(given)
        if bad:
            faults.append(f"{column} must be numbers: {name_some(bad)}")
    if faults:
        raise InputError(
            f"{kind} {path} cannot be used:\n- " + "\n- ".join(faults) + "\nLeave a cell without a value empty."
        )
    return Table(rows.assign(**names, **figures), cells.notices)


def column_names(path: Path, kind: str) -> list[str]:
    """The names of a table's columns, stripped; reads no more of a .parquet.

    Raises InputError when the file cannot be read.
    """
    if path.suffix.lower() == ".parquet":
        try:
            return list(pq.read_schema(path).names)
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{kind} {path} cannot be read ({error}); save it as Parquet or UTF-8 CSV.") from error
    return [name for name in read_cells(path, kind).rows.columns if name]


def _read_parquet(path: Path, kind: str) -> pd.DataFrame:
    try:
        rows = pd.read_parquet(path)
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"{kind} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
    named = [name for name in rows.index.names if name]  # an index that pandas stored holds data
    return rows.reset_index(named) if named else rows


def _name_columns(rows: pd.DataFrame, wanted: Sequence[str], path: Path, kind: str) -> pd.DataFrame:
    """The wanted columns under their own names, which the table may write `Image` or ` label`."""
    given = [str(name) for name in rows.columns]
    plain = [name.strip().casefold() for name in given]
    named = [spelled if spelled in wanted else name for name, spelled in zip(given, plain, strict=True)]
    twice = sorted({name for name in named if name in wanted and named.count(name) > 1})
    if twice:
        written = [name for name, spelled in zip(given, plain, strict=True) if spelled in twice]
        raise InputError(
            f"{kind} {path} has the column(s) {name_some(twice)} twice, written {name_some(written)}: leave one of"
            " each, and give others another name."
        )
    return rows.set_axis(named, axis=1)


def _refuse_lists(column: pd.Series, path: Path, kind: str) -> None:
    if column.dtype != object:
        return
    several = column.index[[isinstance(value, (list, tuple, dict, np.ndarray)) for value in column]] + 1
    if len(several):
        raise InputError(
            f"{kind} {path} cannot be used: {column.name} holds a list or a record in its row(s)"
            f" {name_some(several, 5)}, counted from 1. Write one value a cell, and one row a vote."
        )


def _to_text(column: pd.Series) -> pd.Series:
    return column.astype(object).fillna("").astype(str)  # by object, as categories and times take no ""


def to_numbers(column: pd.Series) -> tuple[pd.Series, list[str]]:
    """The column as numbers, and the cells that are none."""
    if pd.api.types.is_numeric_dtype(column):
        return column if isinstance(column.dtype, np.dtype) else column.astype(float), []
    given = column.astype(object).fillna("").map(str).str.strip()
    found = pd.to_numeric(given, errors="coerce")
    bad = (found.isna() & ~given.isin(NO_VALUE)).to_numpy().nonzero()[0]
    return found, [f"row {given.index[row] + 1}: {given.iloc[row]!r}" for row in bad]


def _from_decimal_comma(column: pd.Series) -> pd.Series:
    """1,5 as 1.5, as spreadsheets of many countries write beside semicolons; 1,500 alone could be either and stays."""
    given = column.str.strip()
    decimal = given.str.fullmatch(r"-?\d+,\d+")
    could_be_thousands = given[decimal].str.fullmatch(r"-?\d{1,3},\d{3}")
    if not decimal.any() or could_be_thousands.all() or given.str.contains(".", regex=False).any():
        return column
    return given.where(~decimal, given.str.replace(",", ".", regex=False))
