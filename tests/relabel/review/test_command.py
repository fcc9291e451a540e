"""`dc3 review`: what it refuses before it starts, and the export."""

import json
import shutil
from pathlib import Path

import pytest

from data.errors import InputError
from data.verdicts import read_verdicts
from dc3.review import ReviewPageOptions, _tell, main
from relabel.review.annotators import OWNER, Annotators, read_annotators
from relabel.review.desk import Desk, ReviewOptions, Submission
from relabel.review.documents import describe_session


def test_all_faults_are_told_at_once(digits: Path, tmp_path: Path) -> None:
    options = [str(digits), "--host", "0.0.0.0", "--overlap", "0", "--certificate", str(tmp_path / "none.pem")]
    with pytest.raises(InputError) as caught:
        main(options)
    text = str(caught.value)
    for part in ("--annotators", "--overlap must be 1", "both be given", "none.pem"):
        assert part in text


def test_a_folder_without_proposals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dc3 propose"):
        main([str(tmp_path), "--verdicts", str(tmp_path / "journal")])


@pytest.mark.parametrize(
    ("text", "fault"), [("", "no name"), ("A\nA\n", "'A' stands there twice"), ("x" * 81, "at most 80")]
)
def test_bad_names_are_refused(digits: Path, tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(InputError, match=fault):
        main([str(digits), "--verdicts", str(tmp_path / "journal"), "--annotators", str(tmp_path / "names.txt")])


def test_a_file_of_names_may_begin_with_the_mark_of_an_editor(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ånna\nBo\n", encoding="utf-8-sig")
    annotators = read_annotators(tmp_path / "names.txt", tmp_path / "journal")
    assert sorted(annotators.names.values()) == [OWNER, "Bo", "Ånna"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_export_is_a_verdict_table_also_while_the_page_runs(digits: Path, tmp_path: Path, suffix: str) -> None:
    desk = Desk(ReviewOptions(digits, tmp_path / "journal"))
    unit = desk.state("Anna").unit
    assert unit is not None
    desk.answer("Anna", Submission("id-000001", unit.id, unit.images, unit.proposal, "label", "3", (), 0.0))
    path = tmp_path / f"verdicts{suffix}"
    assert main([str(digits), "--verdicts", str(tmp_path / "journal"), "--export", str(path)]) == 0
    table = read_verdicts(path)
    assert [tuple(row) for row in table.itertuples(index=False)] == [tuple(row) for row in desk.verdicts(None)]
    assert list(table["tool"].unique()) == ["review"]
    desk.close()


def test_an_export_without_answers_says_so(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No answers at .*journal"):
        main([str(digits), "--verdicts", str(tmp_path / "journal"), "--export", str(tmp_path / "v.csv")])


@pytest.mark.parametrize("words", [("Right proposals: 16.4%.", "Do not show them."), ()])
def test_the_start_and_the_page_say_how_good_the_proposals_are(
    digits: Path, tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(digits, tmp_path / "proposals")
    about = json.loads((tmp_path / "proposals" / "about.json").read_text()) | {"quality": words}
    (tmp_path / "proposals" / "about.json").write_text(json.dumps(about))
    desk = Desk(ReviewOptions(tmp_path / "proposals", tmp_path / "journal"))
    assert describe_session(desk, "Anna")["quality"] == words
    desk.close()
    _tell(ReviewPageOptions(tmp_path), Annotators({}), tmp_path / "journal", words)
    told = capsys.readouterr().out
    assert all(f"\n  {sentence}\n" in told for sentence in words)
    assert ("was not recorded; propose anew" in told) is not bool(words)
