"""POST /predict: the images of a request, through the model, to one answer each."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from data.images.decoding import BadImage
from serving.http.answers import Answer, answer, answer_error
from serving.http.image_refusals import refuse_image, status_of_all
from serving.http.request_images import read_uploads
from serving.live.batching import Overloaded
from serving.live.live_model import LiveModel
from serving.live.scheduling import Turns
from serving.live.uploaded import Upload
from serving.model.scores import Score, decide
from serving.settings import Settings
from serving.telemetry import Telemetry
from web.protocol import CLIENT_LEFT
from web.refused import Refused

_GONE = 499
_log = logging.getLogger("dc3.serving")


class Predict:
    """The ASGI application of the path, for requests of that method; `current` tells which model answers now.

    It reads and writes ASGI's messages itself, and orjson writes the document: with Starlette's request and response
    and Python's own JSON the event loop takes a fourth more time for an image.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry, current: Callable[[], LiveModel]) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._current = current
        self._turns = Turns(settings.n_threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request: one entry for each image, in order."""
        start = time.perf_counter()
        live = self._current()
        answers: list[Answer] = []
        refused = None
        headers: dict[str, str] = {}
        try:
            uploads = await read_uploads(scope, receive, self._settings.max_images)
            live = self._current()  # another one may have taken over while the body came
            with self._turns:
                results = await _unless_gone(scope.get(CLIENT_LEFT), live.predict(uploads))
            answers = self._answer(uploads, results, live)
            statuses = [entry["error"]["status"] for entry in answers if isinstance(entry["error"], dict)]
            status = status_of_all(statuses) if len(statuses) == len(answers) else 200
        except Refused as error:
            refused = error
        except ClientDisconnect:
            refused = Refused(_GONE, "client_gone", "the client left")
        except Overloaded as error:
            refused = Refused(503, "overloaded", f"too many images wait ({error}); try again", {"Retry-After": "1"})
        except TimeoutError:
            limit = self._settings.answer_timeout_s
            refused = Refused(504, "too_late", f"no answer within {limit:g} seconds; send fewer images at a time")
        if refused is not None:
            self._telemetry.count_refusal(refused.reason)
            status, headers = refused.status, refused.headers
        self._telemetry.count_request(status, time.perf_counter() - start)
        document = {
            "model_version": live.version,
            "answers": answers,
            "error": refused.to_json() if refused else None,
        }
        await _send(send, status, document, headers)

    def _answer(self, uploads: list[Upload], results: list[Score | BaseException], live: LiveModel) -> list[Answer]:
        card, version = live.model.card, live.version
        answers: list[Answer] = []
        for upload, result in zip(uploads, results, strict=True):
            if isinstance(result, Score):
                self._telemetry.count_prediction(card.classes[result.best], decide(result), result.ambiguity)
                answers.append(answer(upload.name, result, card, version))
                continue
            if isinstance(result, BadImage):
                refused = refuse_image(result)
            else:
                _log.error("the model failed on an image", exc_info=result)
                refused = Refused(500, "model_failed", f"{upload.name}: the model failed; tell the service's owner")
            self._telemetry.count_refusal(refused.reason)
            answers.append(answer_error(upload.name, refused, version))
        return answers


async def _send(send: Send, status: int, document: object, headers: Mapping[str, str]) -> None:
    body = orjson.dumps(document)
    lines = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    lines += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def _unless_gone(
    client_left: asyncio.Future[None] | None, work: Coroutine[Any, Any, list[Score | BaseException]]
) -> list[Score | BaseException]:
    """The work's result; raises ClientDisconnect, with the work cancelled, when the client leaves meanwhile."""
    # ASGI's own way, to wait for a message beside the work, takes a task for each request, 1 % of the throughput.
    if client_left is None:  # a server with another protocol
        return await work
    task = asyncio.current_task()
    assert task is not None
    working, gone = True, False

    def leave(_: asyncio.Future[None]) -> None:
        nonlocal gone
        if working:  # the future may be done in the same turn of the loop as the work
            gone = True
            task.cancel()

    client_left.add_done_callback(leave)
    try:
        return await work
    except asyncio.CancelledError:
        if gone:
            task.uncancel()
            raise ClientDisconnect from None
        raise
    finally:
        working = False
        client_left.remove_done_callback(leave)
