"""The guard: this machine without a key, others with one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from web.keys import Guard, Keys


def ask(guard: Guard, client: str | None, path: str = "/predict", **headers: str) -> tuple[int, dict[str, Any] | None]:
    """Status and document of a request from an address."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "client": (client, 5) if client else None,
        "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    asyncio.run(guard(scope, receive, send))
    body = sent[1]["body"]
    return sent[0]["status"], None if body == b"in" else json.loads(body)


def guard(keys: str = "", insecure: bool = False) -> Guard:
    """A guard before an application that says 'in'."""
    return Guard(PlainTextResponse("in"), Keys("", keys), insecure)


@pytest.mark.parametrize("client", ["127.0.0.1", "127.9.9.9", "::1", None])
def test_without_keys_this_machine_is_let_in(client: str | None) -> None:
    assert ask(guard(), client) == (200, None)


@pytest.mark.parametrize("client", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "nonsense"])
def test_without_keys_no_other_machine_is_let_in(client: str) -> None:
    status, document = ask(guard(), client)
    assert status == 403
    assert document
    assert document["error"]["reason"] == "no_keys"
    assert ask(guard(insecure=True), client) == (200, None)


def test_with_keys_everyone_needs_one() -> None:
    for client in ("127.0.0.1", "192.0.2.7"):
        assert ask(guard("one, two"), client, x_api_key="two") == (200, None)
        assert ask(guard("one, two"), client, authorization="bearer  one") == (200, None)
        for headers in ({}, {"x_api_key": "tw"}, {"x_api_key": ""}, {"authorization": "Bearer one, two"}):
            assert ask(guard("one, two"), client, **headers)[0] == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/"])
def test_probes_and_the_page_need_no_key(path: str) -> None:
    assert ask(guard("one"), "192.0.2.7", path) == (200, None)


def test_a_name_below_an_open_path_is_not_open() -> None:
    for path in ("/page/page.js/..", "/livez/", "//predict", "/model"):
        assert ask(guard("one"), "192.0.2.7", path)[0] == 401


def test_a_key_may_have_any_letters() -> None:
    # as curl sends it in a terminal of UTF-8, latin-1 being how this test writes bytes
    offered = "schlüssel".encode().decode("latin-1")
    assert ask(guard("schlüssel"), "192.0.2.7", x_api_key=offered) == (200, None)
    assert ask(guard("schlüssel"), "192.0.2.7", authorization=f"Bearer {offered}") == (200, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must have one API key a line, it has none"),
        (b" \n\n", "must have one API key a line, it has none"),
        (b"caf\xe9\n", "must be text in UTF-8"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_of_keys_that_holds_none_lets_no_one_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None, message: str
) -> None:
    file = tmp_path / "keys"
    file.write_text("a-key\n")
    guard = Guard(PlainTextResponse("in"), Keys(str(file), ""), insecure=False)
    assert ask(guard, "127.0.0.1", x_api_key="a-key") == (200, None)
    assert not caplog.records
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    for headers in ({}, {"x_api_key": ""}, {"x_api_key": "a-key"}):
        status, document = ask(guard, "127.0.0.1", **headers)
        assert status == 503
        assert document
        assert str(file) not in document["error"]["message"], "where it lies is no client's business"
    assert [message in record.getMessage() for record in caplog.records] == [True], "told once"
    file.write_bytes(b"\xef\xbb\xbfa-new-key\r\n")  # as an editor on Windows writes it
    assert ask(guard, "127.0.0.1", x_api_key="a-new-key") == (200, None)
    assert ask(guard, "127.0.0.1")[0] == 401


def test_listed_keys_stand_beside_an_empty_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("")
    guard = Guard(PlainTextResponse("in"), Keys(str(file), "listed"), insecure=False)
    assert ask(guard, "127.0.0.1", x_api_key="listed") == (200, None)
    assert ask(guard, "127.0.0.1")[0] == 401
