"""uvicorn's HTTP protocol, with an end to what a client may send beside a body and to how long it may take over it.

uvicorn's fast protocol reads a header, a chunk's extension or a trailer of any length, slower and slower (300 MB of
one header: not done in 100 s), and waits for ever for a request that does not come. Its other one, of h11, ends the
first but not the second, and takes a fourth more processor time for a request (docs/serving.md).
"""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_BYTES = 65_536
"""Of a header, or of anything else that is no body; a client that has sent more by the next read is cut off."""

CLIENT_LEFT = "dc3.client_left"
"""Key of a request's scope: a future that is done once the client has left."""

# uvicorn warns of each malformed request; a client must not be able to fill the log with that. Its faults stay. By a
# filter, as uvicorn and BentoML set levels anew when they start.
_faults_only = logging.getLogger("uvicorn.error.faults")
_faults_only.addFilter(lambda record: record.levelno >= logging.ERROR)


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, timeout_s: float = 30.0, **options: Any) -> None:
        """Takes uvicorn's own arguments, and the time from the connection to the end of a header.

        For a later request on the same connection it runs from the first byte.
        """
        super().__init__(*arguments, **options)
        # BentoML leaves uvicorn's log of requests on and throws its lines away; none is wanted, so none is made.
        self.access_log = False
        self.logger = _faults_only
        self._timeout_s = timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._in_header = False
        self._client_left: asyncio.Future[None] = self.loop.create_future()
        self._n_bytes = 0  # received since the last byte of a body, or since the last header

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first request."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the client."""
        self._stop_timer()
        if not self._client_left.done():
            self._client_left.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what came, unless it is too much."""
        self._n_bytes += len(data)
        super().data_received(data)
        if self._n_bytes > MAX_BYTES:
            self._cut_off(431, "The header is too long.")
        elif self._timer is None and self._answers_nothing():
            self._start_timer()

    def on_message_begin(self) -> None:
        """The first byte of a request is there."""
        super().on_message_begin()
        self.scope[CLIENT_LEFT] = self._client_left  # type: ignore[literal-required]
        self._in_header = True

    def on_headers_complete(self) -> None:
        """The header is there; its request begins."""
        self._in_header = False
        self._n_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body, which web.limits bounds."""
        self._n_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete."""
        super().on_message_complete()
        # uvicorn stops reading a large body until more of it is asked for; of this one no more is, and the client's
        # leaving would not be read either.
        if not self.pipeline:
            self.flow.resume_reading()

    def _answers_nothing(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._timeout_s, self._cut_off, 408, "The header took too long.")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_off(self, status: int, text: str) -> None:
        """Ends the connection, with an answer where that cannot be taken for another request's."""
        if self.transport.is_closing():
            return
        if self._in_header and self._answers_nothing():
            lines: list[Any] = [STATUS_LINE[status], b"content-type: text/plain; charset=utf-8\r\n"]
            lines += [b"content-length: %d\r\nconnection: close\r\n\r\n" % len(text), text.encode()]
            self.transport.write(b"".join(lines))
        self.transport.close()
