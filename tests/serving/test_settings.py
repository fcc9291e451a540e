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
