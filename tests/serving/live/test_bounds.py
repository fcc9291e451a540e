"""The settings' bounds hold for the model that answers: pixels of an image, images of a run, images that wait."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images.decoding import BadImage
from serving.live.batching import Overloaded
from serving.live.live_model import _SMALL_BYTES, LiveModel
from serving.live.uploaded import Upload
from serving.model.scores import Score
from serving.model.session import Model
from serving.settings import Settings, read_settings
from serving.telemetry import Telemetry
from tests.data.images.test_decoding import encode


def draw(height: int, width: int) -> Upload:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Upload("a.png", encode(Image.fromarray(pixels), "PNG"))


def score(settings: Settings, uploads: Sequence[Upload]) -> list[Score | BaseException]:
    async def scenario() -> list[Score | BaseException]:
        live = LiveModel(settings, Telemetry())
        try:
            return await live.predict(uploads)
        finally:
            await live.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize(("side", "is_small"), [(20, True), (160, False)])
def test_an_image_of_more_pixels_than_the_setting_is_refused(model_path: Path, side: int, is_small: bool) -> None:
    """Small files are decoded in another thread than large ones."""
    inside, beyond = draw(side, side), draw(side, side + 1)
    assert isinstance(beyond.data, bytes)
    assert (len(beyond.data) <= _SMALL_BYTES) is is_small
    settings = read_settings({"DC3_MODEL": str(model_path), "DC3_MAX_PIXELS": str(side * side)})
    good, bad = score(settings, [inside, beyond])
    assert isinstance(good, Score)
    assert isinstance(bad, BadImage)
    assert f"{side * side:,}" in str(bad)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of images of each run of a model."""
    sizes: list[int] = []
    predict: Callable[[Model, np.ndarray], object] = Model.predict

    def spy(model: Model, images: np.ndarray) -> object:
        sizes.append(len(images))
        return predict(model, images)

    monkeypatch.setattr(Model, "predict", spy)
    return sizes


def test_a_run_has_no_more_images_than_the_setting(model_path: Path, runs: list[int]) -> None:
    found = score(Settings(model_path, threads=1, max_batch=3), [draw(9, 9)] * 8)
    assert all(isinstance(one, Score) for one in found)
    assert max(runs) == 3
    assert sum(runs) == 8 + 2, "two at the start"


def test_more_images_than_may_wait_are_refused_at_once(model_path: Path, runs: list[int]) -> None:
    with pytest.raises(Overloaded):
        score(Settings(model_path, threads=1, max_queue=4), [draw(9, 9)] * 5)
    assert sum(runs) == 2, "at the start"
