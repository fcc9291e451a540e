"""The application without a server: the ways in which a request can end."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.types import Message, Receive, Scope, Send

from data.images.decoding import decode
from data.images.deep import Reading
from serving.export.to_onnx import export_onnx
from serving.http.app import create_app
from serving.live import reload
from serving.live.live_model import LiveModel
from serving.live.uploaded import Upload
from serving.model.session import Model
from serving.settings import Settings
from serving.telemetry import Telemetry
from tests.data.images.test_decoding import encode
from tests.serving.model.test_model import edit, without_numbers
from tests.serving.running import CARD, TinyPredictor, make_images
from web.limits import BodyLimit
from web.protocol import CLIENT_LEFT
from web.refused import Refused

GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")


@asynccontextmanager
async def in_process(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The application without a server."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        yield client


def test_an_answer_that_comes_too_late_is_a_504(model_path: Path) -> None:
    async def scenario() -> None:
        async with in_process(Settings(model_path, answer_timeout_s=0)) as client:
            response = await client.post("/predict", content=GOOD)
            assert (response.status_code, response.json()["error"]["reason"]) == (504, "too_late")
            assert 'dc3_refused_total{reason="too_late"} 1.0' in (await client.get("/metrics")).text

    asyncio.run(scenario())


def test_images_are_answered_in_order_with_errors_in_their_place(model_path: Path) -> None:
    async def scenario() -> None:
        async with in_process(Settings(model_path)) as client:
            files = [("f", ("a", GOOD)), ("f", ("b", b"text")), ("f", ("c", GOOD))]
            response = await client.post("/predict", files=files)
            assert response.status_code == 200
            answers = response.json()["answers"]
            assert [entry["name"] for entry in answers] == ["a", "b", "c"]
            assert [entry["error"] is None for entry in answers] == [True, False, True]

    asyncio.run(scenario())


def test_a_model_that_fails_on_one_image_answers_the_others(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    predict = Model.predict

    def fail_on_black(self: Model, images: np.ndarray) -> object:
        if (images.reshape(len(images), -1).max(1) == 0).any() and len(images) > 0 and not warm_up:
            raise RuntimeError("black")
        return predict(self, images)

    warm_up = True
    monkeypatch.setattr(Model, "predict", fail_on_black)

    async def scenario() -> None:
        nonlocal warm_up
        async with in_process(Settings(model_path)) as client:
            warm_up = False
            black = encode(Image.new("RGB", (9, 9)), "PNG")
            response = await client.post(
                "/predict", files=[("f", ("a", GOOD)), ("f", ("b", black)), ("f", ("c", GOOD))]
            )
            errors = [entry["error"] for entry in response.json()["answers"]]
            assert errors[0] is errors[2] is None
            assert errors[1]["reason"] == "model_failed"

    asyncio.run(scenario())
    assert "black" in caplog.text


def test_a_client_that_leaves_takes_its_images_out(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled: list[bool] = []

    async def never(_: LiveModel, __: Sequence[object]) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    monkeypatch.setattr(LiveModel, "predict", never)

    async def receive() -> Message:
        return {"type": "http.request", "body": GOOD, "more_body": False}

    async def send(_: Message) -> None:
        pass

    async def scenario() -> None:
        app = create_app(Settings(model_path))
        async with app.router.lifespan_context(app), asyncio.timeout(5):
            for n_turns in (0, 20):  # before the work begins, and in the middle of it
                left = asyncio.get_running_loop().create_future()
                scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], CLIENT_LEFT: left}
                answering = asyncio.create_task(app(scope, receive, send))
                for _ in range(n_turns):
                    await asyncio.sleep(0)
                left.set_result(None)
                await answering
                assert answering.cancelling() == 0
            assert cancelled == [True, True]

    asyncio.run(scenario())


def test_a_model_that_goes_finishes_the_requests_it_has(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(data: bytes, name: str, max_pixels: int, reading: Reading) -> np.ndarray:
        time.sleep(0.2)  # so that the model is asked to go between decoding and scoring
        return decode(data, name, max_pixels, reading)

    monkeypatch.setattr("serving.model.files.decode", slow)

    async def scenario() -> None:
        live = LiveModel(Settings(model_path, threads=1), Telemetry())
        asked = asyncio.create_task(live.predict([Upload("a", GOOD)]))
        await asyncio.sleep(0.05)
        await live.close()
        assert [len(result.classes) for result in asked.result()] == [3]

    asyncio.run(scenario())


def test_a_client_s_leaving_is_passed_on_after_the_body() -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"ab", "more_body": False}, {"type": "http.disconnect"}]
    seen: list[str] = []

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        raise AssertionError("nothing is sent")

    asyncio.run(BodyLimit(app, 1, 1, 1)({"type": "http", "headers": []}, receive, send))
    assert seen == ["http.request", "http.disconnect"]


def test_a_body_exactly_at_the_limit_passes_and_frees_its_bytes() -> None:
    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["more_body"]:
            pass

    async def send(_: Message) -> None:
        raise AssertionError("nothing is sent")

    def run(limit: BodyLimit, parts: list[int]) -> None:
        messages = [{"type": "http.request", "body": b"x" * part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = False

        async def receive() -> Message:
            return messages.pop(0)

        asyncio.run(limit({"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}, receive, send))

    limit = BodyLimit(app, max_body_mb=0.001, max_held_mb=0.001, timeout_s=1)
    for _ in range(3):
        run(limit, [600, 400])
        with pytest.raises(Refused, match="body_too_large"):
            run(limit, [600, 401])


def test_a_new_model_takes_over_without_losing_a_request(model_path: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "model.onnx", tmp_path / "other.onnx"
    shutil.copy(model_path, path)
    export_onnx(TinyPredictor(), replace(CARD, run_id="newer run"), make_images(2), other)

    async def ask(client: httpx.AsyncClient, versions: list[str]) -> None:
        while "newer ru" not in "".join(versions):
            response = await client.post("/predict", content=GOOD)
            assert response.status_code == 200
            document = response.json()
            assert document["answers"][0]["model_version"] == document["model_version"]
            versions.append(document["model_version"])

    async def scenario() -> None:
        versions: list[str] = []
        async with in_process(Settings(path, reload_s=0.01)) as client, asyncio.timeout(20):
            asking = [asyncio.create_task(ask(client, versions)) for _ in range(8)]
            path.write_text("half a file")
            await asyncio.sleep(0.1)
            path.write_bytes(without_numbers(model_path))
            await asyncio.sleep(0.1)
            path.unlink()
            await asyncio.sleep(0.1)
            assert versions
            assert all(version.startswith("01234567-") for version in versions)
            other.replace(path)
            await asyncio.gather(*asking)
            assert (await client.get("/model")).json()["run_id"] == "newer run"

    asyncio.run(scenario())


def test_whatever_a_new_model_fails_with_the_next_one_is_tried(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "model.onnx"
    shutil.copy(model_path, path)

    def fail(*_: object) -> LiveModel:
        raise MemoryError("no memory for it")

    async def scenario() -> None:
        async with in_process(Settings(path, reload_s=0.01)) as client, asyncio.timeout(20):
            with monkeypatch.context() as patch:
                patch.setattr(reload, "LiveModel", fail)
                shutil.copy(model_path, path)
                while "no memory for it" not in caplog.text:
                    assert (await client.post("/predict", content=GOOD)).status_code == 200
            path.write_bytes(edit(model_path, lambda metadata: metadata.update(run_id='"newer run"')))
            while (await client.get("/model")).json()["run_id"] != "newer run":
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_what_is_counted_at_once_is_counted_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    async def scenario() -> str:
        telemetry = Telemetry()
        for status in (200, 200, 503):
            telemetry.count_request(status, 0.1)
        for name in ("cat", "cat", "dog"):
            telemetry.count_prediction(name, "class", 0.2)
        telemetry.write()
        return telemetry.to_text().decode()

    lines = asyncio.run(scenario()).splitlines()
    assert 'dc3_requests_total{status="200"} 2.0' in lines
    assert 'dc3_requests_total{status="503"} 1.0' in lines
    assert 'dc3_predictions_total{class_name="cat",decision="class"} 2.0' in lines
    assert 'dc3_predictions_total{class_name="dog",decision="class"} 1.0' in lines
    assert "dc3_request_seconds_count 3.0" in lines
    assert "dc3_ambiguity_count 3.0" in lines
