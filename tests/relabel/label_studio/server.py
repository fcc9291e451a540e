"""A real Label Studio, started by `dc3 label-studio start`."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

ROOT = Path(__file__).parents[3]
OWNER = "owner@example.org"
PASSWORD = "a long password 1"
_START_S = 400


class Person(NamedTuple):
    """A user who has logged in."""

    email: str
    session: httpx.Client
    """With the cookies of a browser."""


class Server(NamedTuple):
    """A running Label Studio."""

    url: str
    root: Path
    """Folder whose subfolders it hands out."""
    token_file: Path
    """Legacy token of the owner."""


@contextlib.contextmanager
def serve(folder: Path, proposals: Path, port: int) -> Iterator[Server]:
    """`dc3 label-studio start` on proposals as a process of its own; ends with the block."""
    data, log = folder / "data", folder / "log"
    command = [sys.executable, "-m", "dc3", "label-studio", "start", str(proposals), "--data-dir", str(data)]
    command += ["--port", str(port), "--install", "--username", OWNER]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    server = Server(f"http://127.0.0.1:{port}", proposals.parent, data / "token")
    try:
        deadline = time.monotonic() + _START_S
        while not _is_up(server.url):
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.3)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def personal_token(person: Person) -> str:
    """A personal access token, as the page Account & Settings makes one."""
    answer = person.session.post("/api/token/")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=10).status_code == 200
    except httpx.TransportError:
        return False
