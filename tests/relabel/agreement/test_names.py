"""`dc3 agree` reads votes and truth that name images and classes otherwise than the verdicts do."""

from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.verdicts import write_verdicts
from dc3.agree import CSV, main
from tests.relabel.agreement.players import answer, draw_votes, make_setting

SETTING = make_setting(60, 3, 0)


def measure(folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """The report's rows; the annotators answer alike every time."""
    write_verdicts(answer(SETTING, 0.3, 2, 1, 1), folder / "verdicts.parquet")
    truth.to_csv(folder / "truth.csv", index=False)
    arguments = [str(folder / "verdicts.parquet"), "--truth", str(folder / "truth.csv"), "--resamples", "200"]
    assert main([*arguments, "--output", str(folder / "report")]) == 0
    return pd.read_csv(folder / "report" / CSV)


@pytest.mark.slow
def test_right_answers_do_not_hang_on_how_the_truth_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = draw_votes(SETTING, 9, 3)
    expected = measure(tmp_path, truth)
    right = expected[expected["name"] == "right answers"]["value"]
    assert (right > 20).all()
    assert "note " not in capsys.readouterr().out
    written = truth.assign(image="/lab/x/" + truth["image"] + " ", label=truth["label"] + "\u00a0")
    pd.testing.assert_frame_equal(measure(tmp_path, written), expected)
    said = capsys.readouterr().out
    assert "note         truth.csv: labels that differ only in case, spaces or Unicode form are one class" in said
    assert "note         truth.csv: 60 image name(s) were matched" in said


def test_a_truth_of_other_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of the 60 images that were judged, but else\.png"):
        measure(tmp_path, pd.DataFrame({"image": ["else.png"], "label": ["class 1"]}))


def test_classes_that_no_answer_has_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = draw_votes(SETTING, 9, 3)
    measure(tmp_path, truth.assign(label="K" + truth["label"]))
    said = capsys.readouterr().out
    assert "note         truth.csv: " in said
    assert "which no answer and no proposal has, so no answer can be right there" in said


@pytest.mark.slow
def test_verdicts_written_by_hand_measure_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Capitals, spaces and `./` in some rows make no new classes, images or annotators."""
    truth = draw_votes(SETTING, 9, 3)
    expected = measure(tmp_path, truth)
    table = pd.read_parquet(tmp_path / "verdicts.parquet")
    odd = table.index < len(table) // 2
    for column, form in (("label", " {}"), ("image", "./{}"), ("annotator", "{} ")):
        table[column] = table[column].mask(odd & (table[column] != ""), table[column].map(form.format))
    table["label"] = table["label"].mask(odd, table["label"].str.upper())
    write_verdicts(table, tmp_path / "odd.parquet")
    capsys.readouterr()
    given = [str(tmp_path / "odd.parquet"), "--truth", str(tmp_path / "truth.csv"), "--resamples", "200"]
    assert main([*given, "--output", str(tmp_path / "odd")]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "odd" / CSV), expected)
    said = capsys.readouterr().out
    assert "note         The verdicts (label, proposal and offered): labels that differ only in case" in said
    assert "note         The verdicts: 60 image name(s) differ from another" in said
