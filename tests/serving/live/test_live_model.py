"""One image alone and many at once: other sessions, the same scores."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.live import live_model as live_module
from serving.live.live_model import LiveModel
from serving.live.uploaded import Upload
from serving.model.card import BadModel
from serving.model.scores import Score
from serving.model.session import Model
from serving.settings import Settings
from serving.telemetry import Telemetry
from tests.data.images.test_decoding import encode
from tests.serving.model.test_model import edit, without_numbers
from tests.serving.running import make_images

UPLOADS = [Upload(str(place), encode(Image.fromarray(image), "PNG")) for place, image in enumerate(make_images(24))]


def score(model_path: Path, threads: int, requests: Sequence[Sequence[Upload]]) -> list[Score | BaseException]:
    """The scores of one request after the other."""

    async def scenario() -> list[Score | BaseException]:
        live = LiveModel(Settings(model_path, threads=threads), Telemetry())
        found = [score for uploads in requests for score in await live.predict(uploads)]
        await live.close()
        return found

    return asyncio.run(scenario())


def test_one_image_gets_all_threads_and_many_share_them(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[int, int]] = []
    predict = Model.predict

    def spy(model: Model, images: np.ndarray) -> object:
        used.append((model._session.get_session_options().intra_op_num_threads, len(images)))
        return predict(model, images)

    monkeypatch.setattr(Model, "predict", spy)
    alone = score(model_path, 2, [[upload] for upload in UPLOADS])
    assert used[2:] == [(2, 1)] * 24, "after the two runs at the start"
    used.clear()
    together = score(model_path, 2, [UPLOADS])
    assert (1, 12) in used, "the first runner takes its half"
    assert used.count((2, 1)) <= 2, "the start, and one that was left at the end"
    assert alone == together == score(model_path, 1, [UPLOADS])


def test_a_file_replaced_between_its_two_loads_is_not_served(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = edit(model_path, lambda metadata: metadata.update(run_id='"another"'))
    path = tmp_path / "model.onnx"
    path.write_bytes(model_path.read_bytes())

    def load_then_replace(*arguments: object) -> Model:
        model = Model(*arguments)  # type: ignore[arg-type]
        path.write_bytes(other)
        return model

    monkeypatch.setattr(live_module, "Model", load_then_replace)
    with pytest.raises(BadModel, match="was replaced while it was loaded"):
        LiveModel(Settings(path, threads=2), Telemetry())


def test_a_model_that_cannot_answer_leaves_no_thread_behind(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "diverged.onnx"
    path.write_bytes(without_numbers(model_path))
    before = threading.active_count()
    with pytest.raises(BadModel, match="cannot answer"):
        LiveModel(Settings(path, threads=2), Telemetry())
    assert threading.active_count() == before
