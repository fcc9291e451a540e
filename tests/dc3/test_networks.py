"""`dc3 networks` lists what may be named."""

import pytest

from dc3.__main__ import main


def test_a_word_shows_size_weights_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "tf_efficientnet_lite0"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("tf_efficientnet_lite0 "))
    assert line.split() == ["tf_efficientnet_lite0", "224", "px", "3.4", "M", "embedded", "apache-2.0"]


def test_without_a_word_all_are_listed_ours_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["wide_resnet_28_2", "small", "tf_efficientnet_lite0"]
    assert "Weights are counted where up to 12 names are shown." in lines[-1]


def test_a_word_that_no_name_has_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "resent18"]) == 2
    assert "No network has 'resent18' in its name: " in (told := capsys.readouterr().err)
    assert "did you mean resnet18" in told
