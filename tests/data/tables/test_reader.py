"""Tables of people: what has no value is empty, what has the wrong type is named with its row."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.tables.reader import read_table
from data.votes.reader import read_votes

TEXT, NUMBERS = ("image", "label"), ("seconds",)


def read(path: Path) -> pd.DataFrame:
    return read_table(path, "Table", TEXT, NUMBERS).rows


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series([1, None], dtype="Int64"), [1, np.nan]),
        (pd.Series(["1.5", ""]), [1.5, np.nan]),
        (pd.Series([" 3 ", None], dtype=object), [3, np.nan]),
        (pd.Series(["4", "4"], dtype="category"), [4, 4]),
    ],
)
def test_numbers_of_parquet_are_numbers_however_they_are_stored(
    tmp_path: Path, seconds: pd.Series, expected: list[float]
) -> None:
    pd.DataFrame({"image": ["a", "b"], "seconds": seconds}).to_parquet(tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet")["seconds"]
    assert isinstance(found.dtype, np.dtype), "not one of pandas' own, whose NA is no NaN"
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pd.Series(["NA", None]), ["NA", ""]),
        (pd.Series([7, 8]), ["7", "8"]),
        (pd.Series(["cat", None], dtype="category"), ["cat", ""]),
        (pd.Series([b"cat", b"dog"]), ["cat", "dog"]),
    ],
)
def test_text_of_parquet_is_text_however_it_is_stored(tmp_path: Path, labels: pd.Series, expected: list[str]) -> None:
    pd.DataFrame({"image": ["a", "b"], "label": labels}).to_parquet(tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet")["label"].tolist() == expected


@pytest.mark.parametrize(
    "seconds", [["1", "x y"], [[1], [1, 2]], pd.to_datetime(["2026-01-01", None]), [b"1", b"\xff"]], ids=str
)
def test_what_is_no_number_is_named_with_its_row(tmp_path: Path, seconds: list[object]) -> None:
    pd.DataFrame({"image": ["a", "b"], "seconds": seconds}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"Table .*t\.parquet cannot be used:\n- seconds must be numbers: row [12]: "):
        read(tmp_path / "t.parquet")


def test_every_faulty_cell_of_a_csv_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,seconds\na,1\nb,soon\nc,\nd,1 h\n")
    with pytest.raises(InputError, match="seconds must be numbers: row 2: 'soon', row 4: '1 h'"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, bytes(range(256))])
@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"Vote table .* (cannot be read|lacks the column)"):
        read_votes(tmp_path / name)


def test_text_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"image": [b"a", b"\xff"], "label": ["x", "y"]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"cannot be read .*save it as UTF-8"):
        read(tmp_path / "t.parquet")


def test_a_vote_without_image_or_label_is_named_with_its_row(tmp_path: Path) -> None:
    table = pd.DataFrame({"image": ["a", None, "b", None], "label": ["x", "x", None, "x"]})
    table.to_parquet(tmp_path / "v.parquet")
    table.to_csv(tmp_path / "v.csv", index=False)
    for name in ("v.parquet", "v.csv"):
        with pytest.raises(InputError, match=r"has no image in its row\(s\) 2, 4, .* and no label in its row\(s\) 3"):
            read_votes(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_in_all_its_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "v.csv").write_bytes("image,label\nKüste,größer\n".encode(encoding))
    assert read(tmp_path / "v.csv").to_dict("list") == {"image": ["Küste"], "label": ["größer"]}


def test_windows_1252_is_read_with_a_notice_and_nothing_else_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_bytes("image,label\na,größer\n".encode("cp1252"))
    rows, notices = read_table(tmp_path / "v.csv", "Table", TEXT, NUMBERS)
    assert rows["label"].tolist() == ["größer"]
    assert len(notices) == 1
    assert "not in UTF-8 and was read as Windows-1252, 'größer'" in notices[0]
    for text, encoding in (("море", "cp1251"), ("łódź", "cp1250"), ("größer", "mac-roman")):
        (tmp_path / "v.csv").write_bytes(f"image,label\na,{text}\n".encode(encoding))
        with pytest.raises(InputError, match="save it as UTF-8"):
            read(tmp_path / "v.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04\x14", "a zip file, or an Excel workbook that is damaged; unpack it, or save the sheet as CSV"),
        (b"<!doctype html>", "a page or XML"),
        (b"\x1f\x8b\x08", r"\.csv\.gz"),
    ],
)
def test_files_of_other_kinds_are_named_with_the_way_out(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "v.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"Vote table .*v\.csv cannot be read: it is .*" + message):
        read_votes(tmp_path / "v.csv")


def test_packed_tables_are_unpacked(tmp_path: Path) -> None:
    (tmp_path / "v.csv.gz").write_bytes(gzip.compress(b"image,label\na,x\n"))
    assert read(tmp_path / "v.csv.gz")["label"].tolist() == ["x"]


def test_missing_numbers_of_r_and_decimal_commas_are_read(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image;seconds\na;1,5\nb;NA\nc;2\n")
    assert read(tmp_path / "v.csv")["seconds"].tolist() == pytest.approx([1.5, np.nan, 2], nan_ok=True)
    (tmp_path / "v.csv").write_text("image;seconds\na;1,500\nb;2\n")
    with pytest.raises(InputError, match=r"seconds must be numbers: row 1: '1,500'"):
        read(tmp_path / "v.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,anna,ben\na,x,y\n", "Where each column is an annotator, say --form wide_annotators"),
        ("| image | label |\n|---|---|\n| a | x |\n", r"read as one column: .*Write commas instead of \|\."),
        ("image label\na x\n", "read as one column: .*Write commas instead of spaces"),
        ("sep=;\nimage,label\na,x\n", "read as one column: .*Make the first line sep=,, or remove it"),
        ("0.jpg,x\n1.jpg,y\n", r"seems to be a row, no header \(0\.jpg\): put a line"),
        ("0,x\n1,x\n", r"seems to be a row, no header \(x\): put a line"),
        ("a,b\n1,2\n", "Write one row a vote with columns image and label"),
    ],
)
def test_tables_of_other_tools_are_refused_with_what_to_change(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(InputError, match=r"lacks the column\(s\) .*" + message):
        read_votes(tmp_path / "v.csv")


def test_names_of_columns_may_differ_in_case_but_not_stand_twice(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("IMAGE, Label\na,x\n")
    assert read(tmp_path / "v.csv").columns.tolist() == ["image", "label"]
    (tmp_path / "v.csv").write_text("image,label,label\na,x,y\n")
    with pytest.raises(InputError, match=r"has the column\(s\) label twice"):
        read(tmp_path / "v.csv")
    (tmp_path / "v.csv").write_text("image,label,Label\na,x,y\n")
    with pytest.raises(InputError, match=r"has the column\(s\) label twice, written label, Label: leave one"):
        read(tmp_path / "v.csv")


def test_a_header_alone_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label\n")
    with pytest.raises(InputError, match="has a header and no row below it: write one row a vote"):
        read_votes(tmp_path / "v.csv")


@pytest.mark.parametrize("cells", [["x", ["x", "y"]], [{"a": 1}, {"a": 2}]])
def test_lists_and_records_are_no_labels(tmp_path: Path, cells: list[object]) -> None:
    rows = [[cell] if isinstance(cell, str) else cell for cell in cells]
    pd.DataFrame({"image": ["a", "b"], "label": rows}).to_parquet(tmp_path / "v.parquet")
    with pytest.raises(InputError, match=r"label holds a list or a record in its row\(s\) 1, 2, counted from 1"):
        read(tmp_path / "v.parquet")


def test_parquet_is_known_by_its_suffix_in_any_case(tmp_path: Path) -> None:
    pd.DataFrame({"image": ["a"], "label": ["x"]}).to_parquet(tmp_path / "v.PARQUET")
    assert read(tmp_path / "v.PARQUET")["label"].tolist() == ["x"]


def test_an_index_that_pandas_stored_is_a_column(tmp_path: Path) -> None:
    pd.DataFrame({"image": ["a"], "label": ["x"]}).set_index("image").to_parquet(tmp_path / "v.parquet")
    assert read(tmp_path / "v.parquet")["image"].tolist() == ["a"]
