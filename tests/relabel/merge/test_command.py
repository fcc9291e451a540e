"""`dc3 merge` from tables that name images and classes otherwise than the proposals do."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.proposals import Origin, Proposal, write_proposal_tables
from data.verdicts import to_table, write_verdicts
from data.votes.reader import read_votes
from dc3.merge import main
from dc3.votes import main as write_votes
from tests.relabel.merge.test_merge import verdict

ABOUT = Origin("run-1", ("cat", "dog"), 1, 0.1, 0)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Proposals on 1.jpg and 2.jpg of three images, and answers to them."""
    (tmp_path / "p" / "images").mkdir(parents=True)
    rows = []
    for name in ("1.jpg", "2.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / "p" / "images" / name)
        rows.append(
            Proposal(name, name, "unlabelled", "proposal", "class", "cat", 0.9, "", 0, False, 0.1, 1.0, 0.0, 0.0)
        )
    write_proposal_tables(tmp_path / "p", ABOUT, rows, [])
    write_verdicts(to_table([verdict("1.jpg", "dog"), verdict("2.jpg", "cat")]), tmp_path / "verdicts.csv")
    return tmp_path


def merge(lab: Path, *options: str, votes: str = "votes.csv") -> pd.DataFrame:
    paths = [str(lab / name) for name in ("p", "verdicts.csv")]
    assert main([*paths, "--votes", str(lab / votes), "--output", str(lab / "next"), *options]) == 0
    return read_votes(lab / "next" / "votes.parquet").rows


@pytest.mark.parametrize("form", ["{}", "C:\\img\\{}", "/data/upload/1/0a1b2c3d-{}", "./{} "])
def test_an_image_counts_once_however_the_votes_name_it(
    lab: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [form.format(name) for name in ("1.jpg", "2.jpg", "3.jpg")]
    pd.DataFrame({"image": images, "label": ["Cat", "dog ", "dog"]}).to_csv(lab / "votes.csv", index=False)
    found = merge(lab)
    assert found["image"].tolist() == ["1.jpg", "2.jpg", "3.jpg", "1.jpg", "2.jpg"]
    assert found["label"].tolist() == ["cat", "dog", "dog", "dog", "cat"]
    said = capsys.readouterr().out
    assert ("image name(s) were matched" in said) == (form != "{}")
    assert "2 images with votes of before changed their majority" in said


def test_a_csv_copy_of_the_merged_votes_is_not_merged_again(lab: Path) -> None:
    pd.DataFrame({"image": ["1.jpg", "3.jpg"], "label": ["cat", "dog"]}).to_csv(lab / "votes.csv", index=False)
    merge(lab).to_csv(lab / "copy.csv", index=False)
    with pytest.raises(InputError, match="2 of 2 verdicts stand in the votes already"):
        merge(lab, votes="copy.csv")


def test_verdicts_may_come_back_from_a_spreadsheet(lab: Path) -> None:
    table = pd.read_csv(lab / "verdicts.csv", dtype=str, keep_default_na=False)
    table.assign(image=table["image"] + " ").to_csv(lab / "verdicts.csv", index=False, sep=";", encoding="utf-8-sig")
    pd.DataFrame({"image": ["1.jpg", "3.jpg"], "label": ["cat", "dog"]}).to_csv(lab / "votes.csv", index=False)
    assert merge(lab)["image"].tolist() == ["1.jpg", "3.jpg", "1.jpg", "2.jpg"]


def test_a_class_without_votes_is_named_and_not_refused(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"image": ["1.jpg", "2.jpg"], "label": ["cat", "dog"]}).to_csv(lab / "votes.csv", index=False)
    write_verdicts(to_table([verdict("1.jpg", "cat"), verdict("2.jpg", "cat")]), lab / "verdicts.csv")
    assert set(merge(lab, "--replace")["label"]) == {"cat"}
    assert "no vote is left for dog: a model trained on these votes does not know it" in capsys.readouterr().out


def test_votes_of_other_suffixes_and_a_file_for_a_folder_are_refused(lab: Path) -> None:
    pd.DataFrame({"image": ["1.png", "2.png"], "label": ["cat", "dog"]}).to_csv(lab / "votes.csv", index=False)
    with pytest.raises(InputError, match=r"none of the 2 proposed images, but on 1\.png, almost 1\.jpg"):
        merge(lab)
    with pytest.raises(InputError, match=r"--output must be, or lie in, a folder; .*votes\.csv is a file"):
        merge(lab, "--output", str(lab / "votes.csv"))


def test_votes_that_cannot_tell_go_on_to_the_next_round_uncounted(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.DataFrame({"image": ["1.jpg", "1.jpg", "3.jpg"], "label": ["cat", "unknown", "unknown"]})
    table.to_csv(lab / "votes.csv", index=False)
    found = merge(lab, "--ignore-labels", "unknown")
    assert found["label"].tolist() == ["cat", "dog", "cat"]
    assert read_votes(lab / "next" / "votes.parquet").ignored["image"].tolist() == ["1.jpg", "3.jpg"]
    assert "2 row(s) of before say 'cannot tell': kept, and no vote" in capsys.readouterr().out


def test_merged_votes_are_not_written_again_without_their_round(lab: Path) -> None:
    pd.DataFrame({"image": ["1.jpg", "3.jpg"], "label": ["cat", "dog"]}).to_csv(lab / "votes.csv", index=False)
    merge(lab)
    with pytest.raises(InputError, match="holds the votes of round 1 as `dc3 merge` wrote them: use it as it is"):
        write_votes([str(lab / "next" / "votes.parquet"), "-o", str(lab / "again.parquet")])
