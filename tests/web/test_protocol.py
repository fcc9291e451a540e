"""The protocol ends what uvicorn would read or wait for without end, and nothing else."""

import asyncio
import contextlib
import functools
import itertools
import socket
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.threads import join_threads, start_thread
from web.protocol import CLIENT_LEFT, BoundedProtocol

pytestmark = pytest.mark.slow

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
SOON_S = 0.5
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def echo_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the number of bytes in the body."""
    body = await Request(scope, receive).body()
    await Response(str(len(body)))(scope, receive, send)


class Waiting:
    """Takes its time, then the body; answers once its client has left, and counts these."""

    def __init__(self, before_s: float = 0.0) -> None:
        self.before_s = before_s
        self.n_left = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits."""
        await asyncio.sleep(self.before_s)
        await Request(scope, receive).body()
        await asyncio.wait_for(scope[CLIENT_LEFT], 5)
        self.n_left += 1


async def refuse_early(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers before the body is there."""
    await Response("no", 413)(scope, receive, send)


@contextlib.contextmanager
def listening(app: object, timeout_s: float = 30.0) -> Iterator[int]:
    """The port of a real uvicorn with the protocol."""
    http = functools.partial(BoundedProtocol, timeout_s=timeout_s)
    config = uvicorn.Config(app, port=0, http=http, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = start_thread(server.run)
    try:
        end = time.monotonic() + 30
        while not server.started:
            assert thread.is_alive(), "uvicorn ended at its start"
            assert time.monotonic() < end, "uvicorn has not started within 30 s"
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        # it waits for its clients to go
        join_threads(thread, waits_for=lambda: f"connections {server.server_state.connections}", limit_s=30)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(echo_length) as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def exchange(port: int, *sent: bytes) -> bytes:
    """All that the server says until it closes; what it no longer takes is lost."""
    received = b""
    with connect(port) as connection:
        try:
            for data in sent:
                connection.sendall(data)
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass
    return received


def pour(port: int, start: bytes, piece: bytes) -> None:
    """Sends twenty megabytes of `piece` after the start; raises ConnectionError when the server ends that."""
    with connect(port) as connection:
        connection.sendall(start)
        for _ in range(20):
            connection.sendall(piece * (1_000_000 // len(piece)))


def drip(connection: socket.socket, data: bytes, seconds: float) -> None:
    """Sends the data byte by byte, over and over for so long."""
    end = time.monotonic() + seconds
    for byte in itertools.cycle(data):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)
        if time.monotonic() > end:
            return


def test_a_header_of_sixty_kilobytes_is_taken(port: int) -> None:
    header = b"x: " + b"y" * 60_000 + b"\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
    assert exchange(port, HEAD, header).endswith(b"\r\n\r\n3")


def test_a_header_that_is_too_long_is_431(port: int) -> None:
    # what the client still sends may reset the connection before it has read the answer
    assert exchange(port, HEAD, b"x: " + b"y" * 100_000, b"y" * 300_000)[:13] in (b"HTTP/1.1 431 ", b"")


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HEAD + b"x: ", b"y"),
        (HEAD, b"x: y\r\n"),
        (b"POST /", b"a"),
        (CHUNKED + b"3;x=", b"y"),
        (CHUNKED + b"3\r\nabc\r\n0\r\nx: ", b"y"),
    ],
    ids=["one header", "many headers", "address", "chunk extension", "trailer"],
)
def test_nothing_but_a_body_may_go_on_without_end(port: int, start: bytes, piece: bytes) -> None:
    with pytest.raises(ConnectionError):
        pour(port, start, piece)


def test_a_body_may_be_large_in_one_piece_or_in_many(port: int) -> None:
    body = b"z" * 3_000_000
    sized = HEAD + b"Connection: close\r\nContent-Length: 3000000\r\n\r\n"
    assert exchange(port, sized, body).endswith(b"\r\n\r\n3000000")
    chunks = (b"2710\r\n" + b"z" * 10_000 + b"\r\n" for _ in range(300))
    closing = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(port, closing, *chunks, b"0\r\n\r\n").endswith(b"\r\n\r\n3000000")


def test_many_requests_on_one_connection_are_each_answered(port: int) -> None:
    """Together they are far longer than one header may be, sent one by one and all at once."""
    header = HEAD + b"x: " + b"y" * 20_000 + b"\r\n"
    for request in (header + b"\r\n", header + b"Content-Length: 2\r\n\r\nab"):
        with connect(port) as connection:
            for _ in range(20):
                connection.sendall(request)
                assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert exchange(port, request * 20 + HEAD + b"Connection: close\r\n\r\n").count(b"HTTP/1.1 200 ") == 21


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    with listening(echo_length, SOON_S) as port:
        yield port


def test_a_client_that_sends_its_header_slowly_is_408(impatient: int) -> None:
    with connect(impatient) as connection:
        with contextlib.suppress(ConnectionError):
            drip(connection, HEAD, 4 * SOON_S)
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert connection.recv(4096) == b""


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "empty lines"])
def test_a_client_that_sends_no_request_is_let_go(impatient: int, sent: bytes) -> None:
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert connection.recv(4096) == b""


def test_a_later_request_has_the_same_time(impatient: int) -> None:
    with connect(impatient) as connection:
        for _ in range(3):
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\nab")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.8 * SOON_S)
        connection.sendall(HEAD)
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_is_the_applications_matter(impatient: int) -> None:
    with connect(impatient) as connection:
        connection.sendall(HEAD + b"Content-Length: 4\r\n\r\n")
        for byte in b"abcd":
            time.sleep(0.5 * SOON_S)
            connection.sendall(bytes([byte]))
        assert connection.recv(4096).endswith(b"\r\n\r\n4")


def test_a_body_that_goes_on_after_its_answer_is_cut_off() -> None:
    with listening(refuse_early, SOON_S) as port, connect(port) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(ConnectionError):
            drip(connection, b"a", 10 * SOON_S)


def test_a_client_s_leaving_is_told_to_its_request() -> None:
    waiting = Waiting()
    with listening(waiting) as port:
        for stay_s in (0.1, 0, 0):
            with connect(port) as connection:
                connection.sendall(HEAD + b"\r\n")
                time.sleep(stay_s)
        end = time.monotonic() + 5
        while waiting.n_left < 3 and time.monotonic() < end:
            time.sleep(0.01)
    assert waiting.n_left == 3


def test_a_client_that_leaves_after_a_large_body_is_noticed() -> None:
    waiting = Waiting(before_s=0.3)
    # uvicorn stops reading at 64 kB; the rest is there in one piece when the application asks for more.
    body = bytes(400_000)
    with listening(waiting) as port, connect(port) as client:
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.6)
        client.close()
        end = time.perf_counter() + 2
        while not waiting.n_left and time.perf_counter() < end:
            time.sleep(0.01)
    assert waiting.n_left == 1
