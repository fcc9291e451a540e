"""Runs `dc3 train` in this process and writes the CPU seconds of its parts: python probe.py PARTS.json train ...

Works on trees of before and of now: it takes the time of functions that both have, what one calls in another's name
counted once.
"""

import functools
import importlib
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

PARTS = {
    "training.train": {"read_data": "data", "fit": "steps", "predict": "predictions", "record_report": "report"},
    "training.track.run_log": {"connect": "store"},
    "training.track": {"register_onnx": "registration"},
    "dc3.train": {"_register": "export"},
}
BEFORE = {"training.track.run_log": "training.track.recording"}
"""What a module was called in trees of before."""


class Clock:
    """CPU seconds by part; the innermost part that is running gets them."""

    def __init__(self) -> None:
        self.spent = {"imports": _cpu_s()}  # the interpreter's own start
        self._running = ["imports"]
        self._since = _cpu_s()

    def enter(self, part: str) -> None:
        """From here on `part` gets the time."""
        self._take()
        self._running.append(part)

    def leave(self) -> None:
        """Back to the part that was running before."""
        self._take()
        self._running.pop()

    def _take(self) -> None:
        now = _cpu_s()
        part = self._running[-1]
        self.spent[part] = self.spent.get(part, 0.0) + now - self._since
        self._since = now


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _timed(clock: Clock, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        clock.enter(part)
        try:
            return function(*arguments, **options)
        finally:
            clock.leave()

    return run


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return importlib.import_module(BEFORE[name])


def main() -> int:
    """Imports what a training imports, then trains."""
    clock = Clock()
    modules = {name: _import(name) for name in PARTS}
    for module, functions in PARTS.items():
        for name, part in functions.items():
            setattr(modules[module], name, _timed(clock, part, getattr(modules[module], name)))
    clock.enter("rest")
    modules["dc3.train"].main(sys.argv[3:])
    clock.leave()
    Path(sys.argv[1]).write_text(json.dumps(clock.spent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
