"""Excel workbooks (.xlsx) to cells; needs the extra `xlsx` (openpyxl)."""

import zipfile
from pathlib import Path

import pandas as pd

from data.errors import InputError, name_some

MOST_BYTES = 2 << 30
"""That a workbook may unpack to: a file of a few kilobytes can be made to fill any memory."""


def is_workbook(path: Path) -> bool:
    """Whether a file is an .xlsx by its content."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_workbook(path: Path, kind: str) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """The cells of the first sheet as text, no separator, and a notice where the workbook has other sheets.

    A whole number is written without `.0`, as Excel shows it. Empty rows, and columns without name and value, are left
    out; a first column without a name is called ``.

    Raises InputError without openpyxl, for a file that it cannot read, values below no name, a table without rows.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(
            f"{kind} {path} is an Excel workbook: install the extra `xlsx` (pip install openpyxl), or save the sheet as"
            " CSV in UTF-8."
        ) from error
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise InputError(f"{kind} {path} unpacks to {size / 2**30:.1f} GiB; save the sheet as CSV in UTF-8.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = book.sheetnames
        lines = [[_write(value) for value in line] for line in book[sheets[0]].iter_rows(values_only=True)]
        book.close()
    except (OSError, ValueError, KeyError, IndexError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{kind} {path} cannot be read ({error}); save the sheet as CSV in UTF-8.") from error
    others = name_some(sheets[1:])
    notices = (f"{path}: the first sheet, {sheets[0]}, is read, not {others}",) if len(sheets) > 1 else ()
    return _make_table(lines, path, kind), "", notices


def _write(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _make_table(lines: list[list[str]], path: Path, kind: str) -> pd.DataFrame:
    while lines and not any(lines[0]):
        lines = lines[1:]
    if not lines:
        raise InputError(f"{kind} {path} cannot be read: its first sheet is empty.")
    header = [name.strip() for name in lines[0]]
    rows = pd.DataFrame(lines[1:], columns=[str(place) for place in range(len(header))], dtype=object)
    rows = rows[(rows != "").any(axis=1)]
    filled = [(rows.iloc[:, place] != "").any() for place in range(len(header))]
    if bad := [str(place + 1) for place, name in enumerate(header) if place and not name and filled[place]]:
        raise InputError(f"{kind} {path} cannot be read: column(s) {name_some(bad)} have values but no name.")
    kept = [place for place, name in enumerate(header) if name or filled[place]]
    return rows.iloc[:, kept].set_axis([header[place] for place in kept], axis=1)
