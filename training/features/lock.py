"""One process at a time: a lock on a file, which the system takes back from a process that is killed."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there two computations at once are the user's to avoid
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def alone(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Waits until no other process or thread holds `path`, told once by `on_wait`, and holds it meanwhile."""
    with path.open("a") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
