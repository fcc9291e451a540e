"""Settings go through the environment unchanged, and a bad variable is named."""

from pathlib import Path

import pytest

from serving.settings import Settings, read_settings


def test_settings_survive_the_way_through_the_environment() -> None:
    settings = Settings(Path("/a b/m.onnx"), workers=3, max_body_mb=1.5, insecure=True, api_keys_file="k")
    assert read_settings(settings.to_environment()) == settings
    assert read_settings(Settings().to_environment()) == Settings() == read_settings({})


def test_every_bad_variable_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"DC3_WORKERS must be of type int, it is 'two'; DC3_INSECURE must be of type bool"
    ):
        read_settings({"DC3_WORKERS": "two", "DC3_INSECURE": "maybe", "DC3_MAX_QUEUE": "7"})


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e400"])
def test_numbers_with_which_nothing_could_run_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"DC3_ANSWER_TIMEOUT_S must be a number above 0, it is (0|-1|nan|inf)"):
        read_settings({"DC3_ANSWER_TIMEOUT_S": text, "DC3_THREADS": "0"})
    assert Settings(threads=-1).find_faults() == ["--threads must be 0 to 1024, it is -1"]
    assert Settings(workers=2000).find_faults() == ["--workers must be 1 to 1024, it is 2000"]
