"""The review page in a real browser: by keyboard alone, after reload and crash, for everyone who reads it."""

import json
import logging
import time
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Page
from tests.relabel.review.hands import (
    answer,
    complaints,
    enter,
    go_to,
    keep,
    kind,
    press,
    reach,
    size,
    text,
    wait_until_asked,
)
from tests.relabel.review.running import Annotator, review
from tests.serving.running import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="THE REVIEW PAGE IS UNTESTED HERE: install Debian's chromium"),
]
_log = logging.getLogger(__name__)


def test_a_session_by_keyboard_alone(page: Page, cifar: Path, tmp_path: Path) -> None:
    with review(cifar, tmp_path / "journal", "--certain", "grid") as server:
        start = time.perf_counter()
        enter(page, server)
        loaded_s = time.perf_counter() - start
        times = []
        given: dict[str, int] = {}
        for number in range(60):
            asked = kind(page)
            if asked not in given:
                keep(page, asked)
            start = time.perf_counter()
            answer(page, {"grid": "Enter", "proposed": "Enter", "none": "0123456789"[number % 10]}[asked])
            times.append(time.perf_counter() - start)
            given[asked] = given.get(asked, 0) + 1
            assert text(page, "#status").startswith("Stored: ")
        assert given["none"] > 10
        assert given["grid"] > 0
        median = sorted(times)[len(times) // 2]
        _log.info("page with 5,000 images: %.2f s; from a key to the next question: %.3f s median", loaded_s, median)
        check_grid_keys(page, Annotator(server, "Anna"))
        assert complaints(page) == []


def test_a_session_by_keyboard_to_the_end(page: Page, digits: Path, tmp_path: Path) -> None:
    with review(digits, tmp_path / "journal", "--certain", "grid") as server:
        enter(page, server)
        for number in range(100):
            if text(page, "#question").startswith("Nothing is left"):
                break
            answer(page, "1234567890"[number % 10] if kind(page) == "none" else "Enter")
        keep(page, "end")
        rows = Annotator(server, "Anna").verdicts()
        votes = [row["image"] for row in rows if row["label"]]
        assert len(votes) == len(set(votes)) == 120, "every image has one vote, also those that fell out of a grid"
        excluded = {row["image"] for row in rows if row["outcome"] == "excluded"}
        assert excluded
        assert {row["outcome"] for row in rows if row["image"] in excluded} == {"excluded", "manual"}
        answer(page, "u")
        assert not text(page, "#question").startswith("Nothing is left")
        assert complaints(page) == []


def check_grid_keys(page: Page, anna: Annotator) -> None:
    """Arrows and Space exclude, a digit changes the class, u brings the grid back as it was left."""
    reach(page, "grid")
    unit = anna.next()["unit"]
    count = len(unit["images"])
    press(page, "ArrowRight")
    for _ in range(2):
        press(page, "ArrowRight")
    press(page, " ")
    pressed = "[...document.querySelectorAll('.tile[aria-pressed=true]')].map(tile => Number(tile.dataset.place))"
    expected = sorted({unit["images"][2], *unit["suspects"]} - ({unit["images"][2]} & set(unit["suspects"])))
    assert sorted(page.evaluate(pressed)) == expected
    assert f"{count} images, {len(expected)} marked" in text(page, "#about")
    keep(page, "excluded")
    names = page.evaluate("[...document.querySelectorAll('#classes button')].map(button => button.dataset.name)")
    other = (names.index(unit["proposal"]) + 1) % 10
    answer(page, "1234567890"[other])
    rows = anna.verdicts()[-count:]
    outcomes = [row["outcome"] for row in rows]
    assert outcomes.count("excluded") == len(expected)
    assert outcomes.count("changed") == count - len(expected)
    assert {row["label"] for row in rows if row["outcome"] == "changed"} == {names[other]}
    answer(page, "u")
    assert sorted(page.evaluate(pressed)) == expected
    assert text(page, "#status") == f"Taken back: {names[other]}."
    answer(page, "m")
    assert {row["outcome"] for row in anna.verdicts()[-count:]} == {"skipped"}


def test_reload_and_crash_lose_nothing(page: Page, digits: Path, tmp_path: Path) -> None:
    port, journal = free_port(), tmp_path / "journal"
    with review(digits, journal, port=port) as server:
        enter(page, server)
        reach(page, "grid")
        press(page, "ArrowRight")
        press(page, " ")
        marked = text(page, "#about")
        question = text(page, "#question")
        go_to(page, server.url)
        wait_until_asked(page)
        assert (text(page, "#question"), text(page, "#about")) == (question, marked)
        stored = len(Annotator(server, "Anna").verdicts())
        server.kill()
    press(page, "4")
    page.wait_for("document.querySelector('#status').textContent.startsWith('NOT stored yet')")
    keep(page, "not_stored")
    assert text(page, "#question") == question
    with review(digits, journal, port=port) as server:
        page.wait_for("document.querySelector('#status').textContent.startsWith('Stored: ')")
        rows = Annotator(server, "Anna").verdicts()
        assert len(rows) > stored
        assert {row["label"] for row in rows[stored:]} == {"", "4"}
    # the browser goes while the answer is on its way: the next start of the page sends it
    press(page, "5")
    page.wait_for("document.querySelector('#status').textContent.startsWith('NOT stored yet')")
    with review(digits, journal, port=port) as server:
        go_to(page, server.url)
        wait_until_asked(page)
        after = Annotator(server, "Anna").verdicts()
        assert len(after) > len(rows)
        assert {row["label"] for row in after[len(rows) :]} <= {"", "5"}


def test_hidden_time_does_not_count(page: Page, digits: Path, tmp_path: Path) -> None:
    with review(digits, tmp_path / "journal") as server:
        enter(page, server)
        look = "Object.defineProperty(document, 'visibilityState', {{value: {!r}, configurable: true}});"
        look += "document.dispatchEvent(new Event('visibilitychange'))"
        page.evaluate(look.format("hidden"))
        time.sleep(2.0)
        page.evaluate(look.format("visible"))
        time.sleep(0.5)
        answer(page, "1")
        seconds = sum(float(row["seconds"]) for row in Annotator(server, "Anna").verdicts())
        assert 0.5 <= seconds < 1.9


def test_everything_can_be_reached_read_and_seen(page: Page, digits: Path, tmp_path: Path) -> None:
    with review(digits, tmp_path / "journal") as server:
        enter(page, server)
        reach(page, "grid")
        nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
        for node in nodes:
            role, name = node["role"]["value"], node.get("name", {}).get("value", "")
            assert name or role not in ("button", "heading", "textbox", "image", "radio", "dialog"), node
        press(page, "Tab")
        ring = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        assert page.evaluate(f"document.activeElement.matches('.tile') && {ring}")
        for factor in (1.25, 2.0):
            size(page, 1280, 800, factor)
            time.sleep(0.2)
            keep(page, f"zoom_{round(100 * factor)}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            bottom = "document.querySelector('#undo').getBoundingClientRect().bottom <= innerHeight"
            assert page.evaluate(bottom) or factor > 1.25
        size(page, 1280, 800)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
        keep(page, "dark")
        press(page, "?")
        assert page.evaluate("document.querySelector('#help').open")
        keep(page, "keys")
        press(page, "1")
        press(page, "Escape")
        page.wait_for("!document.querySelector('#help').open")
        assert kind(page) == "grid", "keys answer nothing while the help is open"
        for is_open in (True, False, True, False):
            press(page, "?")
            assert page.evaluate("document.querySelector('#help').open") is is_open, "? opens the help and closes it"
        press(page, "?")
        press(page, "?", autoRepeat=True)
        assert page.evaluate("document.querySelector('#help').open"), "a key held down closes nothing"
        press(page, "?")
        answer(page, "Enter")
        assert text(page, "#status").startswith("Stored: ")


def test_a_personal_link_opens_the_page_of_its_annotator(page: Page, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Anna\nBert\n")
    with review(digits, tmp_path / "journal", "--annotators", str(tmp_path / "names.txt")) as server:
        page.call("Page.navigate", url=server.url)
        page.wait_for("document.querySelector('#status')?.textContent.includes('personal link')")
        enter(page, server, "Bert")
        assert text(page, "#where").startswith("Bert, round 1: 0 answers")
        answer(page, "s")
        go_to(page, f"{server.url}#{server.keys['Anna']}")
        page.wait_for("document.querySelector('#where')?.textContent.startsWith('Anna, round 1: 0 answers')")


def test_many_classes_have_a_box_to_type_in(page: Page, tmp_path: Path, digits: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for path in digits.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "about.json").unlink()
    about = json.loads((digits / "about.json").read_text())
    about["classes"] += [f"species {number}" for number in range(60)]
    (folder / "about.json").write_text(json.dumps(about))
    with review(folder, tmp_path / "journal") as server:
        enter(page, server)
        press(page, "/")
        page.call("Input.insertText", text="species 59")
        keep(page, "many_classes")
        answer(page, "Enter")
        assert "species 59" in {row["label"] for row in Annotator(server, "Anna").verdicts()}
