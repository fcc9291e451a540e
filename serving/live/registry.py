"""A model registry's file on this disk: fetched anew whenever the registry means another version."""

import logging
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

_log = logging.getLogger("dc3.serving")
Version = TypeVar("Version", bound=Hashable)


class RegistryCopy(Generic[Version]):
    """Keeps `path` equal to the file that the registry means.

    Only a file that passes `check` gets there, and it gets there in one step: a worker that is started anew loads
    what it finds.
    """

    def __init__(
        self,
        path: Path,
        find: Callable[[], Version],
        fetch: Callable[[Version, Path], Path],
        check: Callable[[Path], object],
    ) -> None:
        """`find` tells what the registry means now, `fetch` writes that version's file into a folder and returns its
        path, `check` raises when a file cannot be served.
        """
        self._path = path
        self._find = find
        self._fetch = fetch
        self._check = check
        self._seen: Version | None = None

    def update(self) -> bool:
        """Fetches the file if the registry means another version than at the last call; whether it did.

        Raises whatever find, fetch and check raise; the file then stays, and a version that was found but could not
        be served is not tried again.
        """
        found = self._find()
        if found == self._seen:
            return False
        with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
            fetched = self._fetch(found, Path(folder))
            self._seen = found
            self._check(fetched)
            fetched.replace(self._path)
        return True


@contextmanager
def follow(copy: RegistryCopy[Version], every_s: float) -> Iterator[None]:
    """Updates the copy every `every_s` seconds while the block runs; a fault is logged once, and the old file stays."""
    done = threading.Event()

    def run() -> None:
        fault = ""
        while not done.wait(every_s):
            try:
                copy.update()
            except Exception as error:  # a registry's client raises what its database or network raises
                if str(error) != fault:
                    _log.error("%s; the model that answers now goes on", error)
                fault = str(error)
            else:
                fault = ""

    thread = threading.Thread(target=run, name="registry", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=every_s)
