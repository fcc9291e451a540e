"""`dc3 review` as a process of its own on a free loopback port, and a client that answers as the page does."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.serving.running import ROOT, free_port
from tests.threads import killed_after


class Server(NamedTuple):
    """A running review page."""

    url: str
    process: subprocess.Popen[str]
    keys: dict[str, str]
    """Personal keys by name, the owner's by an empty name."""
    clients: list[httpx.Client]
    """Closed with the page."""
    log: Path
    """What it wrote to standard error."""

    def kill(self) -> None:
        """Ends the process with no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


@contextlib.contextmanager
def review(
    bundle: Path,
    journal: Path,
    *options: str,
    port: int | None = None,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Server]:
    """The page as a process, ended with the block; `prefix` stands before its command."""
    port = port or free_port()
    command = [*prefix, sys.executable, "-m", "dc3", "review", str(bundle)]
    command += ["--verdicts", str(journal), "--port", str(port)]
    environment = {**environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    log = journal.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
    assert process.stdout is not None
    page = Server(f"http://127.0.0.1:{port}/", process, {}, [], log)
    try:
        _wait_until_ready(page)
        with killed_after(process, 60):
            lines = list(_first_lines(process, "--annotators" in options))
        for line in lines:
            name, _, address = line.strip().partition(": ")
            if "#" in address:
                page.keys[name] = address.partition("#")[2]
            elif "with key" in address:
                page.keys[""] = address.rpartition(" ")[2]
        yield page
    finally:
        for client in page.clients:
            client.close()
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def _first_lines(process: subprocess.Popen[str], named: bool) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if "with key" in line or (not named and "http" in line):
            return


def _wait_until_ready(page: Server) -> None:
    for _ in range(300):
        assert page.process.poll() is None, f"the page ended: {page.log.read_text()}"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(page.url).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the page was not ready in time")


class Annotator:
    """Answers over HTTP."""

    def __init__(self, page: Server, name: str) -> None:
        key = page.keys.get(name)
        headers = {"Authorization": f"Bearer {key}"} if key else {"X-Annotator": name}
        self.client = httpx.Client(base_url=f"{page.url}api/", headers=headers, timeout=20)
        page.clients.append(self.client)
        self.body: dict[str, Any] = {}

    def next(self) -> dict[str, Any]:
        """The state: unit, left, given."""
        return dict(self.client.get("next").raise_for_status().json())

    def answer(self, state: dict[str, Any], answered: str, **changes: object) -> httpx.Response:
        """Sends an answer to the state's unit; `body` keeps it."""
        unit = state["unit"]
        self.body = {
            "id": uuid.uuid4().hex,
            "unit": unit["id"],
            "images": unit["images"],
            "proposal": unit["proposal"],
            "decision": "label",
            "label": answered,
            "excluded": [],
            "seconds": 0.01,
        } | changes
        # by json, which unlike httpx writes halves of surrogate pairs
        headers = {"Content-Type": "application/json"}
        return self.client.post("answers", content=json.dumps(self.body), headers=headers)

    def verdicts(self) -> list[dict[str, str]]:
        """The rows of GET verdicts."""
        return list(csv.DictReader(io.StringIO(self.client.get("verdicts").raise_for_status().text)))
