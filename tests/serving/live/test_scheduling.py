"""The event loop goes first while few wait, and lets the model go first in a crowd."""

import asyncio
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from serving.http.app import create_app
from serving.live.live_model import LiveModel
from serving.live.scheduling import Turns
from serving.live.uploaded import Upload
from serving.model.session import Model, Scores
from serving.settings import Settings
from tests.data.images.test_decoding import encode
from tests.serving.live.test_batching import until
from tests.serving.running import make_images

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="turns are Linux's")


def lets_others_finish() -> bool:
    return os.sched_getscheduler(0) == os.SCHED_BATCH


def test_the_loop_changes_with_more_than_two_requests_a_core_and_back_with_fewer_than_one() -> None:
    turns = Turns(2)
    seen = []
    for _ in range(5):
        turns.__enter__()
        seen.append(lets_others_finish())
    for _ in range(5):
        turns.__exit__()
        seen.append(lets_others_finish())
    assert seen == [False] * 4 + [True] * 4 + [False] * 2


def test_a_request_that_fails_is_not_counted_any_longer() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(TimeoutError), turns:
            raise TimeoutError
    with turns, turns:
        assert not lets_others_finish()


def test_a_system_that_forbids_it_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(os, "sched_setscheduler", forbid)
    turns = Turns(1)
    with turns, turns, turns:
        assert not lets_others_finish()


def test_requests_that_wait_for_the_model_are_a_crowd(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    gate.set()
    predict = Model.predict

    def wait(model: Model, images: np.ndarray) -> Scores:
        assert gate.wait(30)
        return predict(model, images)

    monkeypatch.setattr(Model, "predict", wait)
    arrived: list[int] = []
    submit = LiveModel.predict

    async def count(live: LiveModel, uploads: Sequence[Upload]) -> object:
        arrived.append(len(uploads))
        return await submit(live, uploads)

    monkeypatch.setattr(LiveModel, "predict", count)
    body = encode(Image.fromarray(make_images(1)[0]), "PNG")

    async def scenario() -> list[bool]:
        app = create_app(Settings(model_path, threads=1))
        seen = []
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client,
        ):
            for n_requests in (1, 2, 3):
                gate.clear()
                arrived.clear()
                requests = [asyncio.create_task(client.post("/predict", content=body)) for _ in range(n_requests)]
                await until(lambda: len(arrived) == n_requests)  # noqa: B023 -- waited for within the turn
                seen.append(lets_others_finish())
                gate.set()
                assert [answer.status_code for answer in await asyncio.gather(*requests)] == [200] * n_requests
            seen.append(lets_others_finish())
        return seen

    assert asyncio.run(scenario()) == [False, False, True, False]
