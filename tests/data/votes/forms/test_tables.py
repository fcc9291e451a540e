"""Tables in their many shapes: what is a class, an annotator or a count is told by names and cells, and said."""

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.votes.options import VoteOptions
from data.votes.reader import read_votes
from tests.data.votes.forms.reading import count, read

CASES = Path(__file__).parents[5] / "shared" / "cases"
VOTED = {("a.jpg", "cat"): 2, ("a.jpg", "dog"): 1, ("b.jpg", "dog"): 3}
WIDE = "image,cat,dog\na.jpg,2,1\nb.jpg,0,3\n"


@pytest.mark.parametrize(
    "header",
    ["image,label,count", "File,Class,n", "filename,category,weight", "path,answer,Votes", "Image Name,choice,n_votes"],
)
def test_usual_names_of_columns_are_understood_and_every_vote_counts(tmp_path: Path, header: str) -> None:
    """image,label,count gave one vote a row: a third of the votes, F1 0.000 and a champion in the registry."""
    table = read(tmp_path, header + "\na.jpg,cat,2\na.jpg,dog,1\nb.jpg,dog,3\n")
    assert count(table) == VOTED
    assert all("not understood" not in notice for notice in table.notices)


def test_a_column_that_is_not_understood_is_named(tmp_path: Path) -> None:
    table = read(tmp_path, "image,label,number,batch\na.jpg,cat,2,x\nb.jpg,dog,3,x\n")
    assert table.rows.columns.tolist() == ["image", "label"]
    assert any("column(s) that are not understood and not used: number, batch; where" in text for text in table.notices)


@pytest.mark.parametrize("column", ["worker", "Rater", "user_id", "WorkerId", "annotator name"])
def test_who_answered_is_found_under_other_names(tmp_path: Path, column: str) -> None:
    table = read(tmp_path, f"image,label,{column}\na.jpg,cat,anna\na.jpg,cat,anna\na.jpg,dog,ben\n")
    assert table.rows["annotator"].tolist() == ["anna", "ben"], "said twice, counts once"


@pytest.mark.parametrize("times", [("2026-01-02", "2026-01-01"), ("1767312000", "1767225600")])
def test_time_is_when_it_was_answered_where_its_cells_are_times(tmp_path: Path, times: tuple[str, str]) -> None:
    table = read(tmp_path, f"image,label,user,time\na.jpg,cat,anna,{times[0]}\na.jpg,dog,anna,{times[1]}\n")
    assert table.rows["label"].tolist() == ["cat"], "the last by time"


def test_time_that_holds_seconds_of_work_orders_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing says which was the last"):
        read(tmp_path, "image,label,user,time\na.jpg,cat,anna,9.5\na.jpg,dog,anna,3.1\n")


def test_two_equally_likely_columns_are_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"several columns for the label: class, category.*Rename the one"):
        read(tmp_path, "image,class,category\na.jpg,cat,x\n")


def test_an_answer_beats_the_truth_beside_it(tmp_path: Path) -> None:
    table = read(tmp_path, "image,category,response\na.jpg,cat,dog\nb.jpg,cat,cat\n")
    assert table.rows["label"].tolist() == ["dog", "cat"]
    assert "columns read by their names: response as label" in table.notices[0]
    assert "not used: category" in table.notices[1]


@pytest.mark.parametrize(
    "text",
    [
        WIDE,
        WIDE.replace(",", ";"),
        WIDE.replace(",", "\t"),
        WIDE.replace(",", "|"),
        "image,cat,dog,total\na.jpg,2,1,3\nb.jpg,0,3,3\n",
        "usage,picture,cat,dog\ntrain,a.jpg,2,1\ntest,b.jpg,,3\n",
        "image,label,cat,dog\na.jpg,cat,2,1\nb.jpg,dog,0,3\n",
        ",cat,dog\na.jpg,2,1\nb.jpg,0,3\n",
        "x,cat,dog\na.jpg,2,1\nb.jpg,0,3\n",
    ],
    ids=str,
)
def test_counts_in_a_column_a_class_are_votes(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert count(table) == VOTED
    assert table.notices[0] == "v.csv: read as: wide table, a column a class"
    assert any("classes are cat, dog" in notice for notice in table.notices)


def test_shares_become_the_fewest_votes_that_give_them_and_this_is_said(tmp_path: Path) -> None:
    shares = "image,cat,dog\na.jpg,0.67,0.33\nb.jpg,0,1\n"
    table = read(tmp_path, shares)
    assert count(table) == VOTED
    assert any("taken as 3 votes an image, the fewest that give these shares" in text for text in table.notices)
    table = read(tmp_path, shares.replace("0.67,0.33", "66.7,33.3").replace("0,1", "0,100"))
    assert count(table) == VOTED
    table = read(tmp_path, shares, votes_per_image=6)
    assert count(table) == {key: 2 * n for key, n in VOTED.items()}
    table = read(tmp_path, "image,cat,dog\na.jpg,0.61803,0.38197\nb.jpg,0,1\n")
    assert count(table) == {("a.jpg", "cat"): 62, ("a.jpg", "dog"): 38, ("b.jpg", "dog"): 100}
    assert any("100 votes an image, as no smaller number gives these shares" in text for text in table.notices)


def test_fractions_that_are_no_shares_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sum to neither 1 nor 100"):
        read(tmp_path, "image,cat,dog\na.jpg,0.5,2.2\n", form="wide_counts")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples of a test."""
    return tmp_path_factory.mktemp("tables")


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_shares_rounded_to_three_digits_keep_each_image_and_its_order(folder: Path, n_votes: int, seed: int) -> None:
    random_ = np.random.default_rng(seed)
    counts = random_.multinomial(n_votes, [0.5, 0.3, 0.2], size=30)
    frame = pd.DataFrame(np.round(counts / n_votes, 3), columns=["a", "b", "c"])
    frame.insert(0, "image", [f"{row}.jpg" for row in range(30)])
    table = read(folder, frame.to_csv(index=False), votes_per_image=n_votes)
    expected = {
        (f"{row}.jpg", label): int(n) for row in range(30) for label, n in zip("abc", counts[row], strict=True) if n
    }
    assert count(table) == expected


@pytest.mark.parametrize(
    "text",
    [
        "image,anna,ben,carl\na.jpg,cat,cat,dog\nb.jpg,dog,dog,dog\n",
        "image,anna,ben,carl,note\na.jpg,cat,cat,dog,blurred\nb.jpg,dog,dog,dog,\n",
        "file;anna;ben;carl;dora\na.jpg;cat;cat;dog;\nb.jpg;dog;dog;dog;NA\n",
        ",annotator_1,annotator_2,annotator_3\na.jpg,cat,cat,dog\nb.jpg,dog,dog,dog\n",
    ],
    ids=str,
)
def test_a_column_an_annotator_is_a_vote_a_cell(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert count(table) == VOTED
    assert table.notices[0] == "v.csv: read as: wide table, a column an annotator"
    assert table.rows["annotator"].nunique() == 3


def test_cleanlabs_frame_of_numbers_with_gaps_is_read_by_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a1": [0, 1, np.nan, 2], "a2": [0, np.nan, 2, 2], "a3": [1, 1, 2, np.nan]})
    frame.to_csv(tmp_path / "frame.csv")
    frame.to_parquet(tmp_path / "frame.parquet")
    expected = {("0", "0"): 2, ("0", "1"): 1, ("1", "1"): 2, ("2", "2"): 2, ("3", "2"): 2}
    for name in ("frame.csv", "frame.parquet"):
        table = read_votes(tmp_path / name)
        assert count(table) == expected, name
        assert "a column an annotator" in table.notices[0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 8), st.booleans())
def test_numbers_of_counts_and_of_annotators_are_told_apart(
    folder: Path, seed: int, n_classes: int, n_people: int, counts: bool
) -> None:
    """Never the one for the other: annotators who agree on three of four images, or their counts."""
    random_ = random.Random(seed)
    rows = []
    for _ in range(60):
        truth = random_.randrange(n_classes)
        rows.append([truth if random_.random() < 0.85 else random_.randrange(n_classes) for _ in range(n_people)])
    labels = np.array(rows)
    frame = pd.DataFrame(labels, columns=[f"p{person}x" for person in range(n_people)])
    if counts:
        frame = pd.DataFrame({f"class {label}": (labels == label).sum(1) for label in range(n_classes)}, columns=None)
    frame.insert(0, "image", [f"{row}.jpg" for row in range(60)])
    table = read(folder, frame.to_csv(index=False))
    assert table.notices[0].endswith("a column a class" if counts else "a column an annotator")


def test_a_form_can_be_forced_and_its_name_is_checked(tmp_path: Path) -> None:
    text = "image,one,two\na.jpg,1,1\nb.jpg,2,0\n"
    assert read(tmp_path, text, form="wide_annotators").rows["annotator"].tolist() == ["one", "one", "two", "two"]
    assert count(read(tmp_path, text, form="wide_counts"))["b.jpg", "one"] == 2
    with pytest.raises(InputError, match=r"--form must be one of long, .*'wide_count' \(did you mean wide_counts"):
        read(tmp_path, text, form="wide_count")


def test_annotators_beside_a_label_are_refused_until_the_form_is_named(tmp_path: Path) -> None:
    text = "image,label,anna,ben\na.jpg,cat,cat,cat\nb.jpg,dog,cat,dog\nc.jpg,dog,dog,dog\n"
    with pytest.raises(
        InputError, match=r"columns anna, ben hold the same classes.*--form wide_annotators.*--form long"
    ):
        read(tmp_path, text)
    assert len(read(tmp_path, text, form="long").rows) == 3


@pytest.mark.parametrize("name", ["v.xlsx", "v.jsonl", "v.json", "v.tsv", "v.parquet", "columns.json"])
def test_one_table_is_the_same_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    rows = [("a.jpg", "cat", 2), ("a.jpg", "dog", 1), ("b.jpg", "dog", 3)]
    frame = pd.DataFrame(rows, columns=["image", "label", "votes"])
    path = tmp_path / name
    if name == "v.xlsx":
        pytest.importorskip("openpyxl")
        frame.to_excel(path, index=False)
    elif name == "v.jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif name == "v.json":
        frame.to_json(path, orient="records")
    elif name == "columns.json":
        path.write_text(json.dumps(frame.to_dict("list")))
    elif name == "v.tsv":
        frame.to_csv(path, sep="\t", index=False)
    else:
        frame.to_parquet(path)
    assert count(read_votes(path)) == VOTED


def test_other_sheets_of_a_workbook_are_named(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "v.xlsx") as writer:
        pd.DataFrame({"image": ["a"], "label": [7.0]}).to_excel(writer, sheet_name="votes", index=False)
        pd.DataFrame({"x": [1]}).to_excel(writer, sheet_name="old", index=False)
    table = read_votes(tmp_path / "v.xlsx")
    assert table.rows["label"].tolist() == ["7"]
    assert "the first sheet, votes, is read, not old" in table.notices[0]


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases of the lab")
def test_every_case_with_votes_is_read_or_refused_with_a_remedy() -> None:
    known = {("24-exports-of-other-tools", "cleanlab_wide.csv"): "a column an annotator"}
    n = 0
    for path in sorted([*CASES.rglob("*.csv"), *CASES.rglob("*.json")]):
        table = read_votes(path)
        n += 1
        assert len(table.rows) > 5, path
        if text := known.get((path.parent.name, path.name)):
            assert text in table.notices[0]
        assert table.rows["label"].nunique() <= 6, path
        assert all("not understood" not in notice or "export" in path.parent.name for notice in table.notices), path
    assert n > 20


def test_votes_per_image_and_rare_classes_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--votes-per-image must be 0 or more.*exclude each other"):
        read_votes(tmp_path, options=VoteOptions(votes_per_image=-1, merge_rare=2, drop_rare=2))
