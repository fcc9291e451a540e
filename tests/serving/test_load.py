"""A crowd at the door: nothing accepted is lost when the service stops, and a dead worker takes only its own along."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from benchmarks.load import LOST, Outcome, load
from tests.data.images.test_decoding import encode
from tests.serving.running import Server, make_images, serve
from tests.serving.test_service import COUNTED_AFTER_S, command_line, workers
from tests.threads import join_threads, start_thread

pytestmark = pytest.mark.slow
SMALL = [encode(Image.fromarray(image), "JPEG") for image in make_images(8, 32)]
LARGE = [encode(Image.fromarray(image), "JPEG") for image in make_images(4, 1600)]
"""They take tens of milliseconds each, so that a crowd of them is in flight at any time."""
CROWD_S = 5.0


def test_two_hundred_clients_lose_no_request(model_path: Path, tmp_path: Path) -> None:
    """The short form of `python benchmarks/load.py --clients 200 --seconds 60`."""
    with serve(model_path, tmp_path, "--workers", "2") as server:
        outcomes = asyncio.run(load(server.url, SMALL, 200, CROWD_S))
        assert {outcome.status for outcome in outcomes} == {200}
        assert len(outcomes) > 500
        time.sleep(COUNTED_AFTER_S)
        counted = httpx.get(f"{server.url}/metrics").text
        assert f'dc3_requests_total{{status="200"}} {float(len(outcomes))}' in counted


def test_what_is_too_much_is_refused_at_once_and_never_queued(model_path: Path, tmp_path: Path) -> None:
    with serve(model_path, tmp_path, DC3_MAX_QUEUE="8") as server:
        outcomes = asyncio.run(load(server.url, LARGE, 200, CROWD_S))
        assert httpx.post(f"{server.url}/predict", content=SMALL[0]).status_code == 200
    assert {outcome.status for outcome in outcomes} == {200, 503}
    refused = [outcome for outcome in outcomes if outcome.status == 503]
    assert {outcome.retry_after for outcome in refused} == {"1"}
    # Measured alone on two cores: 99 of 100 within 57 ms, the slowest 58 ms; other tests run beside this one.
    refused.sort(key=lambda outcome: outcome.seconds)
    assert refused[len(refused) * 9 // 10].seconds < 0.5
    # Eight places: whoever waits longer than this stands in a queue that grew.
    assert max(outcome.seconds for outcome in outcomes if outcome.status == 200) < 5


class Visit:
    """A crowd in a thread of its own, so that the test can do something to the service meanwhile."""

    def __init__(self, server: Server, n_clients: int, seconds: float) -> None:
        self.outcomes: list[Outcome] = []

        def run() -> None:
            self.outcomes = asyncio.run(load(server.url, LARGE, n_clients, seconds))

        self._thread = start_thread(run)
        self._log = server.log

    def interrupt(self, act: Callable[[], None], after_s: float = 2.0) -> float:
        """Acts in the middle of the visit, waits for its end, and returns when it acted."""
        time.sleep(after_s)
        moment = time.monotonic()
        act()
        join_threads(self._thread, waits_for=self._log.read_text, limit_s=300)
        return moment


def in_flight(outcomes: list[Outcome], moment: float) -> list[Outcome]:
    """Requests sent a tenth of a second before a moment, and not answered by then."""
    return [outcome for outcome in outcomes if outcome.start < moment - 0.1 < moment < outcome.start + outcome.seconds]


def test_sigterm_in_a_crowd_finishes_what_is_in_flight(model_path: Path, tmp_path: Path) -> None:
    with serve(model_path, tmp_path, "--workers", "2") as server:
        visit = Visit(server, 32, 30)
        stopped = visit.interrupt(lambda: os.kill(server.pid, signal.SIGTERM))
    held = in_flight(visit.outcomes, stopped)
    assert len(held) > 8
    assert {outcome.status for outcome in held} == {200}
    assert max(outcome.start for outcome in visit.outcomes) < stopped + 10


def count_connections(pid: int, port: int) -> int:
    """How many clients a process is connected with."""
    connections = psutil.Process(pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in connections)


def test_a_worker_killed_in_a_crowd_takes_only_its_own_requests_along(model_path: Path, tmp_path: Path) -> None:
    held = 0

    def kill() -> None:
        nonlocal held
        port = int(server.url.rpartition(":")[2])
        both = [pid for pid in workers(server.pid) if "_bentoml_impl.worker" in command_line(pid)]
        held, victim = max((count_connections(pid, port), pid) for pid in both)
        os.kill(victim, signal.SIGKILL)

    with serve(model_path, tmp_path, "--workers", "2") as server:
        visit = Visit(server, 32, 5)
        killed = visit.interrupt(kill)
    lost = [outcome for outcome in visit.outcomes if outcome.status == LOST]
    # A client has one connection and on it one request at a time.
    assert 0 < len(lost) <= held
    assert all(outcome.start < killed + 0.1 < outcome.start + outcome.seconds + 0.5 for outcome in lost)
    after = [outcome for outcome in visit.outcomes if outcome.start > killed + 0.1]
    assert len(after) > 32
    assert {outcome.status for outcome in after} == {200}
