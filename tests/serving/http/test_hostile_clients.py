"""Clients that send too much, too slowly, nonsense, or leave: each is answered, and the next one too."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.http.sending import GOOD, check, post
from tests.serving.running import Server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_answers", "nothing_in_the_log")]


@pytest.mark.parametrize("filler", [b"-" * 3_000_000, b"\r\n--x" * 600_000, b"\r\n--" * 700_000])
def test_an_endless_boundary_costs_little(client: httpx.Client, filler: bytes) -> None:
    """The way of CVE-2024-9056, which holds up a parser for minutes."""
    form = b"--x" + filler + b'\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
    start = time.perf_counter()
    response = client.post("/predict", content=form, headers={"content-type": "multipart/form-data; boundary=x"})
    assert response.status_code in (400, 413, 415)
    assert time.perf_counter() - start < 5


def chunks(megabytes: int) -> Iterator[bytes]:
    """A body of unknown length."""
    for _ in range(megabytes):
        yield b"\0" * 1_000_000


def test_100_megabytes_are_refused_with_bounded_memory(client: httpx.Client, server: Server) -> None:
    before = max(memory(pid) for pid in processes(server.pid))
    start = time.perf_counter()
    check(client.post("/predict", content=b"\0" * 100_000_000), 413, "body_too_large")
    check(client.post("/predict", content=chunks(100)), 413, "body_too_large")
    assert time.perf_counter() - start < 10
    assert max(memory(pid) for pid in processes(server.pid)) - before < 200_000_000


def test_a_declared_length_is_refused_before_the_body_comes(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        start = time.perf_counter()
        assert b" 413 " in connection.recv(4096)
        assert time.perf_counter() - start < 1


def processes(parent: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *(pid for child in children for pid in processes(int(child)))]


def memory(pid: int) -> int:
    """The most memory that a process ever held, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def connect(server: Server) -> socket.socket:
    """A bare connection."""
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_a_client_that_leaves_in_the_middle_disturbs_no_one(server: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    for sent in (head[:20], head % 5000, head % 5000 + GOOD[:100], head % len(GOOD) + GOOD):
        for _ in range(5):
            with connect(server) as connection:
                connection.sendall(sent)


def test_what_a_client_that_left_had_sent_is_not_worked_off(server: Server, client: httpx.Client) -> None:
    large = encode(Image.new("RGB", (4000, 3000), "red"), "JPEG")  # some 50 ms of decoding each, 5 s in all
    files = [("image", (f"{number}.jpg", large)) for number in range(100)]
    request = client.build_request("POST", "/predict", files=files)
    head = f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: {request.headers['content-type']}\r\n"
    body = request.read()
    before = n_gone(client)
    with connect(server) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.5)
    start = time.perf_counter()
    while n_gone(client) == before:
        assert time.perf_counter() - start < 2
    assert post(client, large).status_code == 200
    assert time.perf_counter() - start < 2


def n_gone(client: httpx.Client) -> float:
    """Requests whose client left."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith('dc3_refused_total{reason="client_gone"}'))


def test_two_hundred_slow_clients_do_not_hold_up_a_quick_one(server: Server, client: httpx.Client) -> None:
    slow = [connect(server) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab")
        start = time.perf_counter()
        assert post(client, GOOD).status_code == 200
        assert time.perf_counter() - start < 2
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_broken_or_endless_header_is_no_5xx(server: Server, sent: bytes) -> None:
    with connect(server) as connection:
        answer = b""
        try:
            connection.sendall(sent)
            answer = connection.recv(4096)
        except OSError:
            pass  # reset in the middle of the flood
        assert not answer or answer.split()[1] < b"500"


def test_nothing_malformed_lengthens_the_log(server: Server, client: httpx.Client) -> None:
    before = server.log.read_text()
    for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"):
        with connect(server) as connection:
            connection.sendall(sent)
            assert connection.recv(4096)
    upgrade = b"Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with connect(server) as connection:
        connection.sendall(
            b"GET /predict HTTP/1.1\r\n" + upgrade + b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        assert connection.recv(4096).split()[1] == b"403"
    form = {"Content-Type": "multipart/form-data; boundary=B"}
    for body in (b"--B\r\nContent-\xff: a\r\n\r\nb\r\n--B--\r\n", b"-xB\r\n--B--\r\n", b"--B\r\nfoo\r\n\r\n\r\n--B--"):
        assert client.post("/predict", content=body, headers=form).json()["error"]["reason"] == "bad_form"
    assert server.log.read_text() == before


def test_a_header_without_end_is_cut_off_with_bounded_memory(server: Server) -> None:
    before = max(memory(pid) for pid in processes(server.pid))
    line = b"x: " + b"y" * 1_000_000
    with connect(server) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for _ in range(20):
            connection.sendall(line)
        assert connection.recv(4096).split()[1] < b"500"
    assert max(memory(pid) for pid in processes(server.pid)) - before < 10_000_000
