"""What lies at a path: a table, JSON, XML, stored arrays or a folder, found by content."""

import importlib
import io
import json
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError
from data.images.listing import list_images
from data.tables.delimited import parse
from data.tables.reader import Cells, read_cells
from data.tables.text import read_text
from data.tables.workbook import is_workbook
from data.votes.forms.form import Given

KIND = "Vote table"
_DECLARATION = re.compile(r"<\?xml.*?\?>")
_NUMPY, _PARQUET = b"\x93NUMPY", b"PAR1"


def open_given(path: Path) -> Given:
    """Reads what lies at a path; raises InputError where it is nothing that can hold votes."""
    if path.is_dir():
        return Given(path, files=_list_files(path))
    if not path.is_file():
        raise InputError(f"No vote table at {path}: expected a table, an export or a folder; docs/votes.md lists them.")
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_PARQUET) or path.suffix.lower() == ".parquet":
        return _open_parquet(path)
    if is_workbook(path):
        return Given(path, cells=read_cells(path, KIND))
    if start.startswith(_NUMPY) or _is_torch(path):
        return Given(path, arrays=_read_arrays(path))
    content, notice = read_text(path, KIND, markup=True)
    notices = (notice,) if notice else ()
    first = content.lstrip()[:1]
    if first in ("[", "{"):
        values = _read_json(content, path)
        return Given(path, cells=_to_cells(values, notices), json=values)
    if first == "<":
        return Given(path, xml=_read_xml(content, path))
    rows, separator = parse(content, path, KIND)
    return Given(path, cells=Cells(rows, separator, notices))


def _list_files(path: Path) -> tuple[str, ...]:
    return tuple(list_images(path, None).images)


def _open_parquet(path: Path) -> Given:
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{KIND} {path} cannot be read ({error}); save it as UTF-8 CSV or Parquet.") from error
    return Given(path, cells=read_cells(path, KIND), schema=schema.metadata or {})


def _read_json(content: str, path: Path) -> Any:
    """One JSON value, or the list of those that stand a line each."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise InputError(f"{KIND} {path} cannot be read: its JSON is nested too deep.") from error
    except ValueError as error:
        try:
            return [json.loads(line) for line in content.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise InputError(f"{KIND} {path} cannot be read: it is no valid JSON ({error}).") from error


def _to_cells(values: Any, notices: tuple[str, ...]) -> Cells | None:
    """Rows of plain values as a table; None for anything else."""
    if isinstance(values, Mapping) and values and all(isinstance(column, list) for column in values.values()):
        if len({len(column) for column in values.values()}) != 1:
            return None
        values = [dict(zip(values, line, strict=True)) for line in zip(*values.values(), strict=True)]
    if not isinstance(values, list) or not values or not all(isinstance(row, dict) for row in values):
        return None
    if any(isinstance(value, (dict, list)) for row in values for value in row.values()):
        return None
    texts = [{str(name): _write(value) for name, value in row.items()} for row in values]
    return Cells(pd.DataFrame(texts, dtype=object).fillna(""), "", notices)


def _write(value: object) -> str:
    return "" if value is None else str(value)


def _read_xml(content: str, path: Path) -> ElementTree.Element:
    # entities of its own could unpack a few lines to gigabytes
    if "<!doctype" in content.lower() or "<!entity" in content.lower():
        raise InputError(f"{KIND} {path} cannot be read: it is a page or XML with a DOCTYPE; export CVAT's XML or CSV.")
    try:
        return ElementTree.fromstring(_DECLARATION.sub("", content.lstrip()).encode())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise InputError(f"{KIND} {path} cannot be read: it is no valid XML ({error}).") from error


def _is_torch(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return path.suffix.lower() in (".pt", ".pth", ".npy")


_BROKEN = (
    *(OSError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile),
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, StopIteration),
)
"""What damaged files, and pickles of something else, answer."""
_SAFE = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, encoding="latin1": text.encode(encoding),
    ("collections", "OrderedDict"): dict,
}


class _Unpickler(pickle.Unpickler):
    """Makes arrays, numbers, text and containers of these: nothing that runs code."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name in ("_reconstruct", "scalar"):
            return getattr(importlib.import_module("numpy._core.multiarray"), name)
        if (module, name) in _SAFE:
            return _SAFE[module, name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays by name from .pt (zip or before) and .npy; one array alone is called ``."""
    try:
        found = _unpickle(path)
    except _BROKEN as error:
        raise InputError(
            f"{KIND} {path} cannot be read ({error}): of .pt and .npy, arrays of numbers by name are read; save the"
            " labels as CSV with a column for each annotator."
        ) from error
    if isinstance(found, np.ndarray) and found.dtype == object and found.shape == ():
        found = found.item()
    named = found if isinstance(found, dict) else {"": found}
    return {str(name): np.asarray(values) for name, values in named.items()}


def _unpickle(path: Path) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            return _Unpickler(io.BytesIO(archive.read(name))).load()
    with path.open("rb") as file:
        if file.read(len(_NUMPY)) != _NUMPY:
            file.seek(0)
            for _ in range(3):  # of the old form: a number, a version, facts of the system; then what was saved
                _Unpickler(file).load()
            return _Unpickler(file).load()
        file.seek(0)
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        if read(file)[2].hasobject:
            return _Unpickler(file).load()
    return np.load(path, allow_pickle=False)
