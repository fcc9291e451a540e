"""Bounds on what a client sends: that it is not packed, bytes of one body, bytes of all bodies, time to send one."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.refused import Refused

MEGABYTE = 1_000_000
_DRAIN_S = 5.0


class BodyLimit:
    """ASGI wrapper whose `receive` raises Refused once a body is too large, too slow or too much with all others.

    A declared length is refused before the first byte is taken, and so is a body with a Content-Encoding: unpacked, it
    could have any length, and images are packed already. What a refused client still sends is thrown away for some
    seconds, or it would see a reset connection instead of the answer.
    """

    def __init__(self, app: ASGIApp, max_body_mb: float, max_held_mb: float, timeout_s: float) -> None:
        self._app = app
        self._max_body = int(max_body_mb * MEGABYTE)
        self._max_held = int(max_held_mb * MEGABYTE)
        self.timeout_s = timeout_s
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application within the bounds."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._held -= body.taken

    def take(self, count: int, body: int) -> None:
        """Books `count` bytes more of a body that has `body` of them; raises Refused when they are too many."""
        if body > self._max_body:
            raise Refused(
                413,
                "body_too_large",
                f"a request may have {self._max_body:,} bytes; send fewer images at a time",
            )
        if self._held + count > self._max_held:
            raise Refused(503, "busy", "too many requests are being received; try again", {"Retry-After": "1"})
        self._held += count


class _Body:
    """The receiving and sending end of one request."""

    def __init__(self, limit: BodyLimit, scope: Scope, receive: Receive, send: Send) -> None:
        self.taken = 0
        self._limit = limit
        self._receive = receive
        self._send = send
        headers = dict(scope["headers"])
        self._declared = _declared_length(headers)
        self._encoding: bytes = headers.get(b"content-encoding", b"")
        self._deadline: float | None = None
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:  # what follows a body is the client's leaving, for which there is no deadline
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._limit.timeout_s
            _check_encoding(self._encoding)
            self._limit.take(0, self._declared)
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise Refused(408, "too_slow", f"the body must arrive within {self._limit.timeout_s:g} seconds") from error
        if message["type"] == "http.request":
            count = len(message.get("body", b""))
            self._limit.take(count, self.taken + count)
            self.taken += count
        self._complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and not self._complete and self._declared != 0:
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_S):
                while not self._complete:
                    message = await self._receive()
                    self._complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
        except TimeoutError:
            self._complete = True


def _check_encoding(encoding: bytes) -> None:
    """Raises Refused for a body that is declared as packed."""
    name = encoding.strip().decode("latin-1")
    if name.lower() not in ("", "identity"):
        text = f"the body is declared as Content-Encoding: {name[:40]}; send it as it is, without that header"
        raise Refused(415, "encoded", text, {"Accept-Encoding": "identity"})


def _declared_length(headers: Mapping[bytes, bytes]) -> int:
    """Content-Length; -1 for a body of unknown length, 0 for none."""
    if b"transfer-encoding" in headers:
        return -1
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else -1
