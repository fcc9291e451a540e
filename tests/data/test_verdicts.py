"""The verdict table: its faults are all named, and files give back what was written."""

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.verdicts import (
    COLUMNS,
    VOTING,
    Verdict,
    check_verdicts,
    fit_verdicts,
    read_verdicts,
    to_table,
    votes_of,
    write_verdicts,
)

GOOD = Verdict(
    "a.jpg", "anna", "cat", 1.5, "2026-01-01T10:00:00+01:00", 1, "review", "image", "", "proposal", "cat", "run",
    "accepted",
)  # fmt: skip


def faulty(**changes: object) -> pd.DataFrame:
    return pd.DataFrame([GOOD._replace(**changes)], columns=list(COLUMNS))  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_files_give_back_what_was_written(tmp_path: Path, suffix: str) -> None:
    strange = GOOD._replace(image="0012", annotator="Jörg, dr", label="NA", seconds=np.nan, cluster="12.1")
    skipped = GOOD._replace(label="", outcome="skipped", proposal="null")
    table = to_table([GOOD, strange, skipped])
    path = tmp_path / "deep" / f"verdicts{suffix}"
    write_verdicts(table, path)
    pd.testing.assert_frame_equal(read_verdicts(path), table)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_tables_are_joined_in_their_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_verdicts(to_table([GOOD._replace(image=name)]), tmp_path / f"{name}.csv")
    assert read_verdicts(tmp_path / "b.csv", tmp_path / "a.csv")["image"].tolist() == ["b", "a"]


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    write_verdicts(to_table([]), tmp_path / "none.csv")
    assert len(read_verdicts(tmp_path / "none.csv")) == 0


def test_votes_are_the_rows_with_a_label() -> None:
    outcomes = ("accepted", "changed", "manual", "bulk", "excluded", "skipped")
    table = to_table([GOOD._replace(outcome=name, label="cat" if name in VOTING else "") for name in outcomes])  # type: ignore[arg-type]
    assert votes_of(table)["outcome"].tolist() == list(VOTING)
    assert (votes_of(table)["label"] != "").all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "pair"}, "unit must be one of image, cluster: a.jpg by anna: 'pair'"),
        ({"arm": "both"}, "arm must be one of"),
        ({"outcome": "liked"}, "outcome must be one of"),
        ({"image": ""}, "image must not be empty"),
        ({"annotator": ""}, "annotator must not be empty"),
        ({"label": ""}, "a vote needs a label"),
        ({"outcome": "excluded"}, "excluded and skipped images have no label"),
        ({"seconds": -1.0}, "seconds must be finite and not negative"),
        ({"seconds": float("inf")}, "seconds must be finite"),
        ({"round": 0}, "round must be a whole number"),
        ({"round": 1.5}, "round must be a whole number"),
        ({"at": "yesterday"}, "at must be an ISO 8601 time"),
        ({"at": "2026-01-01T10:00:00"}, "at must be an ISO 8601 time with its offset"),
    ],
)
def test_each_fault_is_named_with_its_row(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as raised:
        check_verdicts(faulty(**changes), "the table")
    assert message in str(raised.value)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError, match=r"(?s)the table.*arm must.*seconds must.*at must"):
        check_verdicts(faulty(arm="x", seconds=-2.0, at=""), "the table")


def test_a_missing_column_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks the column\(s\) arm, outcome"):
        check_verdicts(faulty().drop(columns=["arm", "outcome"]), "the table")
    with pytest.raises(InputError, match="No verdict table at"):
        read_verdicts(tmp_path / "none.csv")


def test_a_faulty_table_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.csv"
    write_verdicts(to_table([GOOD]), path)
    before = path.read_bytes()
    with pytest.raises(InputError):
        write_verdicts(faulty(arm="x"), path)
    assert path.read_bytes() == before


def test_answers_offers_and_proposals_take_the_names_of_images_and_classes() -> None:
    odd = GOOD._replace(image="lab/a.JPG", label=" Cat", proposal="CAT", offered="cat ")
    old = GOOD._replace(annotator="ben", offered=None)
    rows, notices = fit_verdicts(to_table([odd, old]), "verdicts", ["a.jpg"], ["cat", "dog"])
    assert rows[["image", "label", "proposal"]].to_numpy().tolist() == [["a.jpg", "cat", "cat"]] * 2
    assert rows["offered"].iloc[0] == "cat"
    assert rows["offered"].isna().tolist() == [False, True], "what a table of before does not say stays unsaid"
    assert notices


def test_label_proposal_and_offer_are_one_class_however_each_is_written() -> None:
    odd = GOOD._replace(label="CAT ", proposal="cat", offered="Cat")
    skipped = GOOD._replace(annotator="ben", label="", outcome="skipped", proposal="", offered=None)
    rows, notices = fit_verdicts(to_table([odd, odd, skipped]), "verdicts")
    assert rows[["label", "proposal", "offered"]].iloc[0].nunique() == 1
    assert rows[["label", "proposal"]].iloc[2].tolist() == ["", ""]
    assert rows["offered"].isna().tolist() == [False, False, True]
    assert len(notices) == 1
    assert "verdicts (label, proposal and offered): labels that differ only in case" in notices[0]


@pytest.mark.parametrize("form", ["./{}", " {}", "{}\u200b", ".\\{}"])
def test_images_of_verdicts_are_one_whatever_nobody_means_in_their_names(form: str) -> None:
    written = form.format("K\u00fc 1.jpg")
    decomposed = unicodedata.normalize("NFD", written)
    rows, notices = fit_verdicts(to_table([GOOD._replace(image=name) for name in (written, decomposed)]), "verdicts")
    assert rows["image"].nunique() == 1
    assert "are taken as one" in notices[0]


def test_names_that_are_at_hand_stay_two() -> None:
    images = ["a.jpg", "./a.jpg"]
    rows, notices = fit_verdicts(to_table([GOOD._replace(image=name) for name in images]), "verdicts", images)
    assert rows["image"].tolist() == images
    assert notices == ()


def test_an_annotator_is_one_with_and_without_spaces_around(tmp_path: Path) -> None:
    write_verdicts(to_table([GOOD]), tmp_path / "a.csv")
    write_verdicts(to_table([GOOD._replace(annotator=" anna\u00a0")]), tmp_path / "b.csv")
    assert set(read_verdicts(tmp_path / "a.csv", tmp_path / "b.csv")["annotator"]) == {"anna"}


def test_a_cell_of_spaces_is_an_empty_one(tmp_path: Path) -> None:
    pd.DataFrame([GOOD._replace(label=" ", outcome="skipped")]).to_csv(tmp_path / "a.csv", index=False)
    assert read_verdicts(tmp_path / "a.csv")["label"].tolist() == [""]
    pd.DataFrame([GOOD._replace(label=" ")]).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match="a vote needs a label"):
        read_verdicts(tmp_path / "a.csv")
