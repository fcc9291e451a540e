"""What a person does at the review page in a real browser: keys, waiting, looking."""

import base64
import json
import os
from pathlib import Path

from tests.browser import Page
from tests.relabel.review.running import Server

_SETTLED = "document.querySelector('#ask').getAttribute('aria-busy') === 'false'"
_CODES = {"Enter": (13, "\r"), " ": (32, " "), "Escape": (27, ""), "Tab": (9, "")}


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
