"""A table that grows row by row on the disk: never more than a batch of it is in memory."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import InputError

Write = Callable[[Sequence[Mapping[str, Any]]], None]
"""Appends rows; each has a value, or None, for every column."""


def check_suffix(path: Path) -> None:
    """Raises InputError for a file whose ending names no form of table."""
    if path.suffix not in _FORMS:
        raise InputError(f"--output must end in {', '.join(_FORMS)}; it is {path}.")
    if path.exists() and not path.is_file():
        raise InputError(f"--output {path} is a folder or a device; give the name of a file.")


@contextmanager
def grow_table(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    """Opens a table for writing; it takes its place when the block ends well, and is gone when it does not.

    Args:
        path: ends in .csv, .jsonl (one JSON object a line) or .parquet.
        columns: name -> str, int or float.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        with _FORMS[path.suffix](draft, columns) as write:
            yield write
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _grow_csv(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        yield writer.writerows


@contextmanager
def _grow_json_lines(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda rows: file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def _grow_parquet(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema=schema))


_FORMS = {".csv": _grow_csv, ".jsonl": _grow_json_lines, ".parquet": _grow_parquet}
