"""What `dc3 train` says of the data."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dc3.train import main


def test_what_is_worth_knowing_of_the_data_is_printed_once(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = SimpleNamespace(
        left_out=("a.png: damaged",),
        metrics={"f1": 0.5},
        run_id="r",
        predictions=Path("p"),
        report=Path("q"),
    )

    def train(*_: object, on_notice: Callable[[str], None], **__: object) -> SimpleNamespace:
        on_notice("images: left out 2 thumbnails")
        on_notice("9 images have 16-bit grey values")
        return result

    monkeypatch.setattr("training.train.train", train)
    assert main(["--register", ""]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "note         images: left out 2 thumbnails",
        "note         9 images have 16-bit grey values",
        "left out     a.png: damaged",
    ]
