"""Threads of tests: waited for with an end, so that what hangs is named, and never what keeps pytest from ending."""

import threading
from collections.abc import Callable


def start_thread(target: Callable[[], object]) -> threading.Thread:
    """Begins; the process may end without it."""
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def join_threads(*threads: threading.Thread, waits_for: Callable[[], object], limit_s: float = 60) -> None:
    """Returns when all have ended; else fails with what they still wait for."""
    for thread in threads:
        thread.join(limit_s)
        assert not thread.is_alive(), f"still running after {limit_s:.0f} s: {waits_for()}"
