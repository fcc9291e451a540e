"""Headless Chromium by its own debugging protocol over a pipe, without a further library."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=900,1100")
ANSWER_S = 120.0
"""Of a browser on crowded cores; one that dies may leave helpers that keep its pipe open, so its end is no sign."""
_START = """
import os, sys
# the browser reads commands from 3 and writes to 4; both may be taken, so they go by way of higher numbers
ends = [(number, os.dup2(int(end), 200 + number)) for number, end in zip((3, 4), sys.argv[1:3])]
for number, end in ends:
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""In a process of its own: `preexec_fn` may lock up for good where this one has threads."""


class Page:
    """One page; each call waits for its answer."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to = to_browser
        self._from = from_browser
        self._buffer = b""
        self._count = 0
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.faults: list[str] = []
        """Whatever the page's console and the browser complained of."""
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A method of the page."""
        return self._send(method, self._session, **parameters)

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

    def _send(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + ANSWER_S
        while True:
            answer = self._read(end, method)
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return dict(answer["result"])
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.faults.append(json.dumps(answer["params"]))

    def _read(self, end: float, method: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(end - time.monotonic(), 0))
            assert ready, f"the browser has not answered {method} within {ANSWER_S:.0f} s"
            data = os.read(self._from, 1 << 16)
            assert data, "the browser ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextlib.contextmanager
def open_page(profile: Path) -> Iterator[Page]:
    """A new browser with one page; it ends with the block."""
    assert CHROMIUM
    read_end, to_browser = os.pipe()
    from_browser, write_end = os.pipe()

    command = [CHROMIUM, *_OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    start = [sys.executable, "-I", "-S", "-c", _START, str(read_end), str(write_end)]
    with (profile / "log").open("w") as log:
        process = subprocess.Popen(
            [*start, *command],
            pass_fds=(read_end, write_end),
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(profile)},
        )
    os.close(read_end)
    os.close(write_end)
    try:
        yield Page(to_browser, from_browser)
    finally:
        process.terminate()
        process.wait(timeout=20)
        os.close(to_browser)
        os.close(from_browser)
