"""A service with tight limits: it refuses what is too much, too slow or too late, and goes on."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.running import Server, make_images, serve
from tests.threads import join_threads, start_thread

pytestmark = pytest.mark.slow
GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")
LIMITS = {"DC3_MAX_QUEUE": "8", "DC3_BODY_TIMEOUT_S": "0.5", "DC3_MAX_BODY_MB": "2", "DC3_MAX_HELD_MB": "3"}


@pytest.fixture(scope="module")
def tight(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with tight limits, set by environment variables."""
    with serve(model_path, tmp_path_factory.mktemp("tight"), **LIMITS) as running:
        yield running


def ask(server: Server, count: int = 1) -> httpx.Response:
    """A request of some good images."""
    return httpx.post(f"{server.url}/predict", files=[("f", ("a", GOOD))] * count, timeout=30)


def test_more_than_the_queue_holds_is_refused_at_once_and_for_a_second(tight: Server) -> None:
    assert ask(tight, 8).status_code == 200
    start = time.perf_counter()
    refused = ask(tight, 9)
    assert time.perf_counter() - start < 0.1
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["error"]["reason"] == "overloaded"
    assert ask(tight).status_code == 200


def test_a_crowd_gets_answers_or_503_and_nothing_else(model_path: Path, tmp_path: Path) -> None:
    # thirty threads of one process may be slower to send a body than `tight` waits
    with serve(model_path, tmp_path, **LIMITS | {"DC3_BODY_TIMEOUT_S": "30"}) as patient:
        _crowd(patient)


def _crowd(server: Server) -> None:
    found: list[int] = []

    def visit() -> None:
        for _ in range(5):
            found.append(ask(server, 4).status_code)

    threads = [start_thread(visit) for _ in range(30)]
    join_threads(*threads, waits_for=server.log.read_text, limit_s=300)
    assert len(found) == 150
    assert set(found) <= {200, 503}
    assert 200 in found
    assert ask(server).status_code == 200


def test_a_body_that_comes_too_slowly_is_refused(tight: Server) -> None:
    host, port = tight.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        start = time.perf_counter()
        answer = b""
        while b" 408 " not in answer:
            connection.sendall(b"x")
            time.sleep(0.05)
            connection.settimeout(0.01)
            try:
                answer += connection.recv(4096)
            except TimeoutError:
                assert time.perf_counter() - start < 3
    assert b"too_slow" in answer


def test_a_header_that_comes_too_slowly_is_refused(tight: Server) -> None:
    host, port = tight.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-")
        start = time.perf_counter()
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert connection.recv(4096) == b""
        assert time.perf_counter() - start < 3


def test_bodies_of_all_clients_together_are_bounded(tight: Server) -> None:
    host, port = tight.url.removeprefix("http://").split(":")
    connections = [socket.create_connection((host, int(port)), timeout=10) for _ in range(2)]
    try:
        for connection in connections:
            connection.sendall(
                b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1500000\r\n\r\n" + b"x" * 1_400_000
            )
        time.sleep(0.1)
        refused = httpx.post(f"{tight.url}/predict", content=b"x" * 300_000)
        assert (refused.status_code, refused.json()["error"]["reason"]) == (503, "busy")
    finally:
        for connection in connections:
            connection.close()
    time.sleep(0.1)
    assert httpx.post(f"{tight.url}/predict", content=b"x" * 300_000).status_code == 415


def test_an_answer_that_takes_too_long_is_a_504_and_holds_up_no_one_after_it(model_path: Path, tmp_path: Path) -> None:
    large = encode(Image.fromarray(make_images(1, 1600)[0]), "JPEG")
    with serve(model_path, tmp_path, DC3_ANSWER_TIMEOUT_S="0.3", DC3_MAX_BODY_MB="500") as server:
        start = time.perf_counter()
        late = httpx.post(f"{server.url}/predict", files=[("f", ("a", large))] * 200, timeout=30)
        assert (late.status_code, late.json()["error"]["reason"]) == (504, "too_late")
        assert time.perf_counter() - start < 5
        assert ask(server).status_code == 200


def test_clients_that_never_end_their_header_do_not_hold_up_a_quick_one(tight: Server) -> None:
    host, port = tight.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port)), timeout=10) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-")
        start = time.perf_counter()
        assert ask(tight).status_code == 200
        assert time.perf_counter() - start < 2
    finally:
        for connection in slow:
            connection.close()
