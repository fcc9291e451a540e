"""Requests to a server that fails: what is repeated, what is not, and what the user reads."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from data.errors import InputError
from relabel.label_studio import client as client_module
from relabel.label_studio.client import Broken, Client
from relabel.label_studio.token import VARIABLE, read_token
from tests.threads import join_threads, start_thread


class _Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        assert isinstance(self.server, Flaky)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        code, body = self.server.answers.pop(0)
        self.send_response(code)
        self.send_header("Location", "https://elsewhere.example.org/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Flaky(ThreadingHTTPServer):
    """Gives the answers in `answers`, one a request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[str] = []


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flaky]:
    """A server on a free port."""
    monkeypatch.setattr(client_module, "WAITS_S", (0.01, 0.01))
    with Flaky() as server:
        thread = start_thread(server.serve_forever)
        yield server
        server.shutdown()
        join_threads(thread, waits_for=lambda: f"an answer to {server.asked[-1:]}")


@pytest.fixture
def client(flaky: Flaky) -> Iterator[Client]:
    """Our client of it."""
    with Client(f"http://127.0.0.1:{flaky.server_port}/", "0" * 40) as connected:
        yield connected


def test_reading_is_repeated_while_the_database_is_locked(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(500, b'{"detail": "database is locked"}'), (503, b""), (200, b'{"id": 1}')]
    assert client.get("/api/projects") == {"id": 1}
    assert flaky.asked == ["GET /api/projects"] * 3


def test_reading_gives_up_with_the_servers_words(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(500, b'{"detail": "database is locked"}')] * 3
    with pytest.raises(Broken, match=r"answered 500 to GET /api/projects: database is locked"):
        client.get("/api/projects")


def test_an_import_is_never_repeated_blindly(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(502, b"")]
    with pytest.raises(Broken, match="Bad Gateway"):
        client.post("/api/projects/1/import", [])
    assert flaky.asked == ["POST /api/projects/1/import"]


def test_a_redirect_is_not_followed_with_the_token(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(301, b"")]
    with pytest.raises(InputError, match=r"give --url as https://elsewhere.example.org/"):
        client.get("/api/projects")


def test_another_server_than_label_studio_is_named(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(200, b"<html>"), (404, b"")]
    with pytest.raises(InputError, match="not the address of Label Studio"):
        client.get("/api/projects")
    with pytest.raises(InputError, match="Is that Label Studio"):
        client.get("/api/projects")


def test_deleting_what_is_gone_is_no_fault(flaky: Flaky, client: Client) -> None:
    flaky.answers = [(404, b"")]
    client.delete("/api/tasks/1/")
    assert flaky.asked == ["DELETE /api/tasks/1/"]


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://x:port", "ftp://x"])
def test_an_address_must_be_one(url: str) -> None:
    with pytest.raises(InputError, match="--url must"), Client(url, "0" * 40) as connected:
        connected.get("/api/projects")


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from-the-environment\n")
    assert read_token(None) == "from-the-environment"
    (tmp_path / "token").write_text("from-a-file\n")
    assert read_token(tmp_path / "token") == "from-a-file"
    (tmp_path / "token").write_text("two words")
    with pytest.raises(InputError, match=r"must hold one token and nothing else, it holds 2 words") as caught:
        read_token(tmp_path / "token")
    assert "two" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "none")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(InputError, match=f"{VARIABLE} must hold one token"):
        read_token(None)
