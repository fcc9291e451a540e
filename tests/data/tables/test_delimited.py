"""Delimited text is read to the letter, or refused with its rows: no cell ever slips into another column."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.tables.delimited import parse

PATH = Path("v.csv")
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


def read(text: str) -> dict[str, list[str]]:
    cells, _ = parse(text, PATH, "Vote table")
    return {name: cells[name].tolist() for name in cells}


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_what_a_csv_writer_wrote_comes_back(rows: list[tuple[str, str, str]], separator: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([("image", "label", "note"), *rows])
    found = read(file.getvalue())
    plain = [tuple(cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row) for row in rows]
    given = list(zip(*found.values(), strict=True))
    assert [tuple(cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row) for row in given] == plain


@settings(max_examples=30)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5).filter(lambda widths: set(widths) != {3}))
def test_a_row_that_does_not_fit_the_header_is_refused_with_its_number(widths: list[int]) -> None:
    text = "image,label,annotator\n" + "".join(",".join("x" * width) + "\n" for width in widths)
    first = next(number for number, width in enumerate(widths, 1) if width != 3)
    with pytest.raises(InputError, match=rf"names 3 column\(s\), and .*row {first} \({widths[first - 1]} cells\)"):
        read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image;label\na;b, c\n", {"image": ["a"], "label": ["b, c"]}),
        ("image\tlabel\r\na\tb\r\n", {"image": ["a"], "label": ["b"]}),
        ("image,label\ra,b\rc,d\r", {"image": ["a", "c"], "label": ["b", "d"]}),
        ("\n\nimage,label\na,b\n", {"image": ["a"], "label": ["b"]}),
        ("sep=;\nimage;label\na;b\n", {"image": ["a"], "label": ["b"]}),
        ('"sep=|"\nimage|label\na|b\n', {"image": ["a"], "label": ["b"]}),
        ("image,label,\na,b,\nc,d,\n", {"image": ["a", "c"], "label": ["b", "d"]}),
        ("image,label\na,b\n,\n\nc,d", {"image": ["a", "c"], "label": ["b", "d"]}),
        ('"","image","label"\n"1","a","b"\n', {"": ["1"], "image": ["a"], "label": ["b"]}),
        ('image,label\na,5" lens\n', {"image": ["a"], "label": ['5" lens']}),
        (" image , label\na,b\n", {"image": ["a"], "label": ["b"]}),
        ('image,label,note\na,b,"two\nlines, one"\n', {"image": ["a"], "label": ["b"], "note": ["two\nlines, one"]}),
    ],
    ids=str,
)
def test_forms_that_spreadsheets_and_r_write_are_read(text: str, expected: dict[str, list[str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na,cat,anna\nb,dog,ben\n", r"names 2 column\(s\), and 2 row\(s\).*Name every column"),
        ("image,label,annotator\na,cat, small,anna\nb,dog,ben\n", r"1 row\(s\).*row 1 \(4 cells\): a,cat, small,anna"),
        ("image,label,annotator,\na,cat, small,anna\nb,dog,ben,\n", "column 4 has values but no name"),
        ("image,label,annotator\na,cat\n", r"row 1 \(2 cells\): a,cat.*leave a cell without a value empty"),
        ('image,label\na,b\nc,"d\ne,f\n', "quote that opens in line 3 is never closed"),
        ('image,label,note\na,b,"bad\nc,d,\ne,f,"bad\ng,h,\n', "opens in line 2 .*closed in the middle of a cell"),
        ('image,label,note\na,b,"\nc,d,\ne,f,"\ng,h,\n', "opens in line 2 is closed in line 4 only"),
        ('image,label\na,"x" y\n', "opens in line 2"),
        ("image,label\na,b\n\nimage,label\nc,d\n", r"row\(s\) 2, counted .*header again.*Remove these lines"),
        ("", "it is empty"),
        ("x" * 200_000, "its first line is no header"),
        ("\n \n", "it is empty"),
    ],
    ids=lambda text: text[:40],
)
def test_what_would_shift_or_swallow_cells_is_refused_with_the_remedy(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"(?s)Vote table v\.csv cannot be read: .*" + message):
        read(text)
