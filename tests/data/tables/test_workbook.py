"""Workbooks that would shift cells, or fill the memory, are refused."""

from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.tables import workbook

pytest.importorskip("openpyxl")


def write(path: Path, lines: list[list[object]]) -> Path:
    pd.DataFrame(lines).to_excel(path, index=False, header=False)
    return path


def test_values_below_no_name_are_refused_and_an_index_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "v.xlsx", [["image", "label", None], ["a.jpg", "cat", "dog"]])
    with pytest.raises(InputError, match=r"column\(s\) 3 have values but no name"):
        workbook.read_workbook(path, "Table")
    path = write(tmp_path / "i.xlsx", [[None, "label"], [7.0, "cat"]])
    rows, _, notices = workbook.read_workbook(path, "Table")
    assert rows.to_dict("list") == {"": ["7"], "label": ["cat"]}
    assert notices == ()


def test_what_unpacks_to_more_than_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "v.xlsx", [["image", "label"], ["a.jpg", "cat"]])
    monkeypatch.setattr(workbook, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to"):
        workbook.read_workbook(path, "Table")
