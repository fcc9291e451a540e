"""`dc3 votes` loses nothing of what it reads and overwrites none of it."""

from pathlib import Path

import pytest

from data.votes.reader import read_votes
from data.votes.rounds import Round
from dc3.__main__ import main
from relabel.merge import write_merged

TEXT = "image,label\n" + "".join(f"{n},{'cat' if n < 4 else 'dog'}\n" for n in range(8)) + "8,eel\n"


def test_the_table_that_is_read_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v.csv").write_text(TEXT)
    assert main(["votes", str(tmp_path / "v.csv"), "-o", str(tmp_path / "x" / ".." / "v.csv")]) == 2
    assert "raw votes are never overwritten" in capsys.readouterr().err
    assert (tmp_path / "v.csv").read_text() == TEXT


def test_merged_votes_are_used_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v.csv").write_text(TEXT)
    write_merged(read_votes(tmp_path / "v.csv").rows, Round(2, "run", ()), tmp_path / "merged.parquet")
    assert main(["votes", str(tmp_path / "merged.parquet"), "-o", str(tmp_path / "out.parquet")]) == 2
    assert "holds the votes of round 2 as `dc3 merge` wrote them: use it as it is" in capsys.readouterr().err


def test_rare_classes_are_settled_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v.csv").write_text(TEXT)
    out = tmp_path / "out.csv"
    assert main(["votes", str(tmp_path / "v.csv"), "-o", str(out), "--drop-rare", "2"]) == 0
    printed = capsys.readouterr().out
    assert "lead on fewer than 2 images count as 'cannot tell': eel (1)" in printed
    assert "1 row(s) that say 'cannot tell', kept in column ignored" in printed
    table = read_votes(out)
    assert set(table.rows["label"]) == {"cat", "dog"}
    assert table.ignored["label"].tolist() == ["eel"]
