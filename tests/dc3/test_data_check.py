"""`dc3 data check` on real pictures in a folder: what it prints, its page and its exit status."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dc3.__main__ import main


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty pictures with three votes each, the first of them disputed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = []
    for number in range(40):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / f"{number:02}.png")
        labels = ["cat", "cat", "dog"] if number == 0 else ["cat", "dog"][number % 2 : number % 2 + 1] * 3
        rows += [(f"{number:02}.png", label, f"person {seat}") for seat, label in enumerate(labels)]
    pd.DataFrame(rows, columns=["image", "label", "annotator"]).to_csv(tmp_path / "votes.csv", index=False)
    return tmp_path


def check(*more: str) -> int:
    return main(["data", "check", "--source", "folder", "--images", "images", "--votes", "votes.csv", *more])


def test_sound_data_can_be_trained(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--output", "pages/check.html") == 0
    text = capsys.readouterr().out
    for line in ("images                                 40", "votes                                  120"):
        assert line in text
    assert "annotators                             3" in text
    assert "can be trained: yes" in text
    assert "raw agreement                          98.3 %  95 % interval" in text
    assert text.count("raw agreement") == 1, "of classes and annotators `dc3 agree` tells"
    assert "note         uses 99 of 120 votes on 33 images" in text
    page = (lab / "pages" / "check.html").read_text()
    assert "These data can be trained on." in page
    assert page.count("<img src=") == 1
    assert "all agree" in page or "mix up most" in page


def test_a_broken_image_and_equal_ones_are_named(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lab / "images" / "03.png").write_bytes((lab / "images" / "03.png").read_bytes()[:60])
    (lab / "images" / "05.png").write_bytes((lab / "images" / "07.png").read_bytes())
    assert check() == 1
    text = capsys.readouterr().out
    assert "left out     03.png: the image is damaged" in text
    assert "1 group(s): 05.png = 07.png" in text
    assert "can be trained: NO: 1 image(s) cannot be read: mend or remove them, or --skip-bad-images" in text
    assert check("--skip-bad-images") == 0


def test_what_cannot_be_read_at_all_is_an_error(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lab / "votes.csv").unlink()
    assert check() == 2
    assert "votes.csv" in capsys.readouterr().err
    assert not (lab / "data_check.html").exists()


def test_another_word_than_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "chekc"]) == 2
    assert "dc3 data check" in capsys.readouterr().err
