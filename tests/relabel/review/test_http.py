"""The page's server over real HTTP: who sees what, retries, crashes."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from relabel.review.annotators import Annotators
from relabel.review.app import create_review
from relabel.review.desk import ReviewOptions
from tests.relabel.review.running import Annotator, Server, review
from tests.serving.running import free_port

pytestmark = pytest.mark.slow
NAMES = "Anna\nBert\nZoë\n"


@pytest.fixture(scope="module")
def page(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with three annotators, each unit wanted twice."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "names.txt").write_text(NAMES, encoding="utf-8")
    with review(digits, folder / "journal", "--annotators", str(folder / "names.txt"), "--overlap", "2") as running:
        yield running


def test_two_annotators_never_see_each_others_answers(page: Server) -> None:
    anna, bert, owner = (Annotator(page, name) for name in ("Anna", "Bert", ""))
    seen = []
    for _ in range(15):
        state = anna.next()
        anna.answer(state, "3").raise_for_status()
        assert bert.verdicts() == []
        assert [bert.next()["given"], *bert.client.get("map").json()["judged"]].count(True) == 0
        seen.append(bert.client.get("next").text + bert.client.get("session").text)
    assert "Anna" not in "".join(seen)
    bert.answer(bert.next(), "5").raise_for_status()
    assert {row["annotator"] for row in bert.verdicts()} == {"Bert"}
    assert {row["annotator"] for row in anna.verdicts()} == {"Anna"}
    assert {row["annotator"] for row in owner.verdicts()} == {"Anna", "Bert"}


def test_an_answer_or_undo_of_one_does_nothing_to_the_others(page: Server) -> None:
    anna, zoe = Annotator(page, "Anna"), Annotator(page, "Zoë")
    anna.answer(anna.next(), "3").raise_for_status()
    rows = anna.verdicts()
    assert zoe.client.post("undo", json={"id": uuid.uuid4().hex}).status_code == 409
    stolen = zoe.client.post("answers", json=anna.body)
    assert stolen.status_code == 409, "another's question, sent with another's id"
    assert anna.verdicts() == rows
    assert zoe.verdicts() == []


@pytest.mark.parametrize(
    "headers", [{}, {"X-Annotator": "Anna"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}]
)
@pytest.mark.parametrize("path", ["session", "next", "map", "verdicts", "images/0"])
def test_without_a_personal_key_there_is_nothing(page: Server, headers: dict[str, str], path: str) -> None:
    response = httpx.get(f"{page.url}api/{path}", headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["reason"] == "no_key"


def test_the_owner_gives_no_answers(page: Server) -> None:
    owner = Annotator(page, "")
    assert owner.client.get("next").status_code == 403
    assert owner.client.get("images/0").status_code == 403


def test_neither_answers_nor_addresses_tell_file_names(page: Server) -> None:
    zoe = Annotator(page, "Zoë")
    assert "digit_" not in zoe.client.get("next").text + zoe.client.get("map").text
    image = zoe.client.get("images/0")
    assert image.content.startswith(b"\x89PNG")
    assert image.headers["content-type"] == "image/png"
    assert image.headers["cache-control"] == "no-store"
    for path in ("images/100000", "images/..%2f..%2fabout.json", "images/-1"):
        assert zoe.client.get(path).status_code == 404


def test_the_map_tells_nothing_of_the_control_arm(page: Server) -> None:
    table = Annotator(page, "Anna").client.get("map").json()
    hidden = [place for place, control in enumerate(table["control"]) if control]
    assert len(hidden) > 5
    assert {table["class"][place] for place in hidden} == {-1}
    assert {table["cluster"][place] for place in hidden} == {""}
    assert not any(table["ambiguous"][place] for place in hidden)


def test_the_page_has_a_strict_policy(page: Server) -> None:
    response = httpx.get(page.url)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "//" not in response.text.replace("<!doctype html>", "")


def test_broken_requests_are_refused(page: Server) -> None:
    zoe = Annotator(page, "Zoë")
    state = zoe.next()
    for changes in (
        {"seconds": "1"},
        {"seconds": -1},
        {"seconds": True},
        {"id": "short"},
        {"images": [0, 0]},
        {"images": [10**9]},
        {"images": ["0"]},
        {"images": "0"},
        {"label": 3},
        {"decision": "perhaps"},
        {"unit": None},
        {"seconds": 10**400},
        {"id": "half a pair \ud800"},
        {"label": "\ud800"},
    ):
        response = zoe.answer(state, "3", **changes)
        assert response.status_code == 400, changes
        assert response.json()["error"]["message"], changes
    assert zoe.answer(state, "3", unit="image:" + "9" * 5000).status_code == 409
    for content, kind, status in (
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 5_000_000, "application/json", 413),
    ):
        response = zoe.client.post("answers", content=content, headers={"Content-Type": kind})
        assert response.status_code == status
    assert zoe.verdicts() == []


def test_nothing_malformed_lengthens_the_log(page: Server) -> None:
    port = httpx.URL(page.url).port
    assert port is not None
    for sent in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
            assert connection.recv(4096)
    assert page.log.read_text() == ""


def test_kill_between_answers_loses_nothing(digits: Path, tmp_path: Path) -> None:
    journal, port = tmp_path / "journal", free_port()
    stored: list[str] = []
    for round_ in range(3):
        with review(digits, journal, port=port) as page:
            anna = Annotator(page, "Anna")
            assert [row["image"] for row in anna.verdicts()] == stored
            for _ in range(4):
                anna.answer(anna.next(), str(round_)).raise_for_status()
            # an answer whose confirmation was lost is sent again after the restart
            state = anna.next()
            anna.answer(state, "7").raise_for_status()
            stored = [row["image"] for row in anna.verdicts()]
            body = anna.body
            page.kill()
        journal.write_bytes(journal.read_bytes() + b'{"event": "answer", "id": "torn')
        with review(digits, journal, port=port) as page:
            anna = Annotator(page, "Anna")
            assert [row["image"] for row in anna.verdicts()] == stored
            anna.client.post("answers", json=body).raise_for_status()
            assert [row["image"] for row in anna.verdicts()] == stored
            page.kill()
    assert len(stored) >= 15


def test_names_are_believed_on_this_machine_only(digits: Path, tmp_path: Path) -> None:
    with review(digits, tmp_path / "journal") as page:
        zoe = Annotator(page, quote("Zoë 🐈")).client
        assert zoe.get("session").json()["annotator"] == "Zoë 🐈"
        assert zoe.get("session", headers={"Host": "evil.example"}).status_code == 403
        for name in ("", "%00", "%20", "x" * 81):
            response = zoe.get("session", headers={"X-Annotator": name})
            assert response.status_code == 401
            assert response.json()["error"]["reason"] == "no_name"


def test_links_stay_the_same_after_a_restart_and_end_with_the_name(digits: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Anna\nBert\n")
    options = ("--annotators", str(names))
    with review(digits, tmp_path / "journal", *options) as page:
        before = page.keys
        assert set(before) == {"Anna", "Bert", ""}
    assert (tmp_path / "journal.secret").stat().st_mode & 0o077 == 0
    names.write_text("Bert\n")
    with review(digits, tmp_path / "journal", *options) as page:
        assert page.keys == {name: key for name, key in before.items() if name != "Anna"}
        headers = {"Authorization": f"Bearer {before['Anna']}"}
        assert httpx.get(f"{page.url}api/session", headers=headers).status_code == 401


def test_it_can_be_mounted_on_another_application(digits: Path, tmp_path: Path) -> None:
    async def ask() -> None:
        review = create_review(ReviewOptions(digits, tmp_path / "journal"), Annotators({}))
        app = Starlette(routes=[Mount("/review", review)])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            response = await client.get("/review", follow_redirects=True)
            assert response.url.path == "/review/"
            assert "<title>DC3: review</title>" in response.text
            for path in ("page/style.css", "page/main.js"):
                assert (await client.get(f"/review/{path}")).status_code == 200
            assert not (tmp_path / "journal").exists(), "opened by the process that answers, not by one that imports"
            named = {"X-Annotator": "Anna"}
            assert (await client.get("/review/api/next", headers=named)).json()["unit"]
            assert (await client.get("/review/api/next")).status_code == 401
            for path in ("api", "api/next/", "page"):  # a redirect would lose the prefix of a proxy before it
                assert (await client.get(f"/review/{path}", headers=named)).status_code == 404
            packed = {**named, "Content-Type": "application/json", "Content-Encoding": "gzip"}
            refused = await client.post("/review/api/answers", content=b"packed", headers=packed)
            assert (refused.status_code, refused.json()["error"]["reason"]) == (415, "encoded")

    asyncio.run(ask())
