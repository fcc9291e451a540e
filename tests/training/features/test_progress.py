"""Progress: a bar with rate and time left on a terminal, two lines elsewhere, notices always."""

import io
import sys

import pytest

from training.features.progress import Progress, StderrProgress


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def report_all(progress: StderrProgress) -> None:
    progress(Progress(0, 0, "", "Something to know."))
    for done in (1000, 1500, 2000):
        progress(Progress(done, 2000, "onnxruntime on the CPU, 2 thread(s)"))


def test_a_terminal_shows_a_bar_with_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    report_all(StderrProgress())
    shown = screen.getvalue()
    assert shown.startswith("Something to know.\n")
    assert "features:  50%" in shown
    assert "2000/2000" in shown
    assert "image/s" in shown


def test_elsewhere_one_line_at_the_start_and_one_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())
    report_all(StderrProgress())
    notice, first, last = told.getvalue().splitlines()
    assert notice == "Something to know."
    assert first == (
        "Features of 2,000 images and views; 1,000 are there, the others by onnxruntime on the CPU, 2 thread(s)."
    )
    assert last.startswith("1,000 features in 0 s, ")


def test_without_a_bar_notices_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    report_all(StderrProgress(shows_work=False))
    assert screen.getvalue() == "Something to know.\n"
