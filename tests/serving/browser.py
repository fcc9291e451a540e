"""Headless Chromium by its own debugging protocol over a pipe, without a further library."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=900,1100")


class Browser:
    """A running browser: commands go in and messages come out as JSON, each ended by a zero byte."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to = to_browser
        self._from = from_browser
        self._buffer = b""
        self._count = 0

    def send(self, method: str, session: str | None = None, **parameters: object) -> int:
        """Returns the number that the answer will bear; `session` is that of a page."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._count

    def read(self) -> dict[str, Any]:
        """The next answer or event."""
        while b"\0" not in self._buffer:
            data = os.read(self._from, 1 << 16)
            assert data, "the browser ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


class Page:
    """One page that shares no cookies or storage with another; each call waits for its answer."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._session: str | None = None
        self.faults: list[str] = []
        """Whatever the page's console and the browser complained of."""
        self._context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """With all that it stored."""
        self._session = None
        self.call("Target.disposeBrowserContext", browserContextId=self._context)

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A method of the page, or of the browser while there is none."""
        number = self._browser.send(method, self._session, **parameters)
        while True:
            answer = self._browser.read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            # events of a page that was closed may come late
            is_mine = answer.get("sessionId") == self._session
            if is_mine and answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.faults.append(json.dumps(answer["params"]))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Waits up to 10 s until an expression holds."""
        waiting = f"(async () => {{ for (let i = 0; i < 200; i++) {{ if ({expression}) return true; "
        assert self.evaluate(waiting + "await new Promise(go => setTimeout(go, 50)); } return false; })()"), expression

    def choose_files(self, selector: str, *files: Path) -> None:
        """Puts files into a file input, as a person would."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """A new browser, which ends with the block."""
    assert CHROMIUM
    read_end, to_browser = os.pipe()
    from_browser, write_end = os.pipe()

    def connect() -> None:
        # The browser reads commands from 3 and writes to 4; both may be taken, so they go by way of higher numbers.
        for number, end in ((3, os.dup2(read_end, 203)), (4, os.dup2(write_end, 204))):
            os.dup2(end, number)

    command = [CHROMIUM, *_OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    with (profile / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            preexec_fn=connect,
            close_fds=False,
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(profile)},
        )
    os.close(read_end)
    os.close(write_end)
    try:
        yield Browser(to_browser, from_browser)
    finally:
        process.terminate()
        process.wait(timeout=20)
        os.close(to_browser)
        os.close(from_browser)


@contextlib.contextmanager
def open_page(browser: Browser) -> Iterator[Page]:
    """A new page, closed with the block."""
    page = Page(browser)
    try:
        yield page
    finally:
        page.close()
