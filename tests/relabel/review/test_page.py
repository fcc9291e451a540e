"""The review page in a real browser: a session by keyboard alone, the map, reload and crash."""

import base64
import json
import logging
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relabel.review.running import Annotator, review
from tests.relabel.review.running import Page as Server
from tests.serving.browser import CHROMIUM, Page, open_page
from tests.serving.running import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="THE REVIEW PAGE IS UNTESTED HERE: install Debian's chromium"),
]
_log = logging.getLogger(__name__)
_SETTLED = "document.querySelector('#ask').getAttribute('aria-busy') === 'false'"
_CODES = {"Enter": (13, "\r"), " ": (32, " "), "Escape": (27, ""), "Tab": (9, "")}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page in a new browser of 1280 x 800."""
    (tmp_path / "profile").mkdir()
    with open_page(tmp_path / "profile") as opened:
        size(opened, 1280, 800)
        yield opened


def size(page: Page, width: int, height: int, factor: float = 1.0) -> None:
    """A window of so many pixels at a zoom of `factor`."""
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=round(width / factor),
        height=round(height / factor),
        deviceScaleFactor=factor,
        mobile=False,
    )


def press(page: Page, key: str, **more: object) -> None:
    """One key, down and up, as from a keyboard."""
    number, text = _CODES.get(key, (ord(key.upper()) if len(key) == 1 else 0, key if len(key) == 1 else ""))
    values = {"key": key, "code": key, "windowsVirtualKeyCode": number, **more}
    page.call("Input.dispatchKeyEvent", type="keyDown", text=text, **values)
    page.call("Input.dispatchKeyEvent", type="keyUp", **values)


def text(page: Page, selector: str) -> str:
    return str(page.evaluate(f"document.querySelector({selector!r}).textContent"))


def go_to(page: Page, url: str) -> None:
    """Leaves the page and opens it anew; what the tab had kept is there again, as after a reload."""
    page.call("Page.navigate", url="about:blank")
    page.call("Page.navigate", url=url)


def enter(page: Page, server: Server, name: str = "Anna") -> None:
    """Opens the page and types the name it asks for, or comes by the personal link."""
    key = server.keys.get(name)
    go_to(page, f"{server.url}#{key}" if key else server.url)
    if not key:
        page.wait_for("document.querySelector('#enter')?.hidden === false")
        page.call("Input.insertText", text=name)
        press(page, "Enter")
    wait_until_asked(page)


def wait_until_asked(page: Page) -> None:
    page.wait_for(f"document.querySelector('#where')?.textContent && {_SETTLED}")


def answer(page: Page, key: str) -> None:
    """Presses a key that answers, and waits for the next question."""
    before = text(page, "#where")
    press(page, key)
    page.wait_for(f"document.querySelector('#where').textContent !== {json.dumps(before)}")
    page.wait_for(_SETTLED)


def kind(page: Page) -> str:
    """grid, proposed or none: what is asked."""
    if page.evaluate("document.querySelector('#images').className === 'tiles'"):
        return "grid"
    return "none" if text(page, "#question").startswith("Which") else "proposed"


def reach(page: Page, wanted: str, limit: int = 200) -> None:
    """Says 'unsure' until such a question comes."""
    for _ in range(limit):
        if kind(page) == wanted:
            return
        answer(page, "s")
    raise AssertionError(f"no {wanted} among {limit} questions")


def keep(page: Page, name: str) -> None:
    """A screenshot for people, where a folder for it is named."""
    if folder := os.environ.get("DC3_SCREENSHOTS"):
        picture = page.call("Page.captureScreenshot")["data"]
        (Path(folder) / f"review_{name}.png").write_bytes(base64.b64decode(picture))


def complaints(page: Page) -> list[str]:
    """The browser's complaints but for the one 401 by which the page learns that it must ask for a name."""
    return [fault for fault in page.faults if not ("401" in fault and "api/session" in fault)]


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


def drag(page: Page, points: list[tuple[float, float]]) -> None:
    """The mouse from point to point, held down."""

    def mouse(kind: str, x: float, y: float) -> None:
        button = "none" if kind == "mouseMoved" and not down else "left"
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=int(down), clickCount=1)

    down = False
    mouse("mouseMoved", *points[0])
    down = True
    mouse("mousePressed", *points[0])
    for point in points[1:]:
        mouse("mouseMoved", *point)
    down = False
    mouse("mouseReleased", *points[-1])


def test_the_map_selects_look_alikes(page: Page, cifar: Path, tmp_path: Path) -> None:
    with review(cifar, tmp_path / "journal") as server:
        enter(page, server)
        press(page, "v")
        page.wait_for("document.querySelector('#legend').children.length === 4")
        box = "(b => [b.x, b.y, b.width, b.height])(document.querySelector('#marks').getBoundingClientRect())"
        x, y, width, height = page.evaluate(box)
        table = Annotator(server, "Anna").client.get("map").json()
        middle = x + 0.72 * width, y + 0.4 * height
        circle = [(middle[0] + 45 * math.cos(a / 5), middle[1] + 45 * math.sin(a / 5)) for a in range(32)]
        drag(page, circle)
        page.wait_for("document.querySelector('#chosen-title').textContent.endsWith('selected')")
        shown = "[...document.querySelectorAll('#chosen-images .tile')].map(tile => Number(tile.dataset.place))"
        chosen = page.evaluate(shown)
        # the lasso's corners are whole pixels
        assert set(inside(table, middle, 43, (x, y, width, height))) <= set(chosen)
        assert set(chosen) <= set(inside(table, middle, 47, (x, y, width, height)))
        assert len(chosen) > 10
        keep(page, "map")
        page.evaluate("document.querySelector('#chosen-images .tile').click()")
        answer(page, "4")
        rows = Annotator(server, "Anna").verdicts()
        assert len(rows) == len(chosen) - 1
        assert {(row["label"], row["outcome"], row["unit"], row["arm"]) for row in rows} == {
            ("cat", "manual", "image", "proposal")
        }
        check_keyboard_box(page, server, len(rows))
        assert complaints(page) == []


def inside(
    table: dict[str, list[float]], middle: tuple[float, float], radius: float, box: tuple[float, ...]
) -> list[int]:
    """The images within a circle on the screen, by the map's own projection, those of the control arm left out."""
    x, y, width, height = box
    left, right, bottom, top = min(table["x"]), max(table["x"]), min(table["y"]), max(table["y"])
    found = []
    for place, (u, v) in enumerate(zip(table["x"], table["y"], strict=True)):
        at = (
            x + 1 + (width - 2) * (0.5 + (u - (left + right) / 2) / ((right - left) * 1.06)),
            y + 1 + (height - 2) * (0.5 - (v - (bottom + top) / 2) / ((top - bottom) * 1.06)),
        )
        if math.dist(at, middle) < radius and not table["control"][place]:
            found.append(place)
    return found


def check_keyboard_box(page: Page, server: Server, before: int) -> None:
    """Colours by class, then a box by keys: now the proposals were on the screen."""
    page.evaluate("document.querySelector('[name=colour][value=class]').click()")
    page.evaluate("document.querySelector('#marks').focus()")
    for key in ("ArrowLeft", " ", *["ArrowLeft"] * 2, *["ArrowDown"] * 2):
        press(page, key)
    page.wait_for("document.querySelector('#peek img').naturalWidth === 32")
    assert page.evaluate("document.querySelectorAll('.broken').length") == 0
    keep(page, "map_classes")
    press(page, " ")
    page.wait_for("document.querySelector('#chosen-title').textContent.endsWith('selected')")
    answer(page, "4")
    rows = Annotator(server, "Anna").verdicts()[before:]
    assert {row["outcome"] for row in rows} == {"accepted", "changed"}
    assert all((row["proposal"] == "cat") == (row["outcome"] == "accepted") for row in rows)
    answer(page, "u")
    assert len(Annotator(server, "Anna").verdicts()) == before


def test_map_and_grid_are_linked_both_ways(page: Page, digits: Path, tmp_path: Path) -> None:
    with review(digits, tmp_path / "journal") as server:
        enter(page, server)
        reach(page, "grid")
        press(page, "v")
        page.wait_for("document.querySelectorAll('#chosen-images .tile').length > 3")
        assert text(page, "#chosen-title") == "The question you are at"
        picture = "document.querySelector('#marks').toDataURL()"
        before = page.evaluate(picture)
        page.evaluate("document.querySelector('#chosen-images .tile:last-child').focus()")
        assert page.evaluate(picture) != before, "a ring around the image on the map"
        place = page.evaluate("Number(document.querySelector('#chosen-images .tile:last-child').dataset.place)")
        table = Annotator(server, "Anna").client.get("map").json()
        x, y, width, height = page.evaluate(
            "(b => [b.x, b.y, b.width, b.height])(document.querySelector('#marks').getBoundingClientRect())"
        )
        spans = [(min(table[axis]), max(table[axis])) for axis in "xy"]
        share = [
            (table[axis][place] - sum(span) / 2) / ((span[1] - span[0]) * 1.06)
            for axis, span in zip("xy", spans, strict=True)
        ]
        page.evaluate("document.querySelector('#map-title').focus()")
        page.call(
            "Input.dispatchMouseEvent",
            type="mouseMoved",
            x=x + width * (0.5 + share[0]),
            y=y + height * (0.5 - share[1]),
        )
        page.wait_for(f"document.querySelector('.tile.linked')?.dataset.place === '{place}'")
        keep(page, "linked")


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
