"""The map of the review page in a real browser: lasso, box by keys, links to the grid."""

import math
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Page
from tests.relabel.review.hands import answer, complaints, enter, keep, press, reach, text
from tests.relabel.review.running import Annotator, Server, review

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="THE REVIEW PAGE IS UNTESTED HERE: install Debian's chromium"),
]


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
