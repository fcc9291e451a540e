"""The file of all answers: only ever appended to, and on disk before anybody is told so."""

import fcntl
import os
from pathlib import Path

from data.errors import InputError
from relabel.review.events import Event, Header, from_line, to_line


class Journal:
    """An open journal, locked against other processes until `close`."""

    def __init__(self, path: Path, header: Header) -> None:
        """Opens or starts the journal; raises InputError when it is damaged, in use, or of other proposals."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _lock(self._file, path)
            self.events, self._size = read_journal(path)
            # what a crash cut off was never confirmed to anybody
            os.ftruncate(self._file, self._size)
            if not self.events:
                self.append(header)
                _sync_folder(path.parent)
                self.events = [header]
            elif self.events[0] != header:
                raise InputError(
                    f"{path} belongs to other proposals ({self.events[0]}, these are {header}); "
                    "give another --verdicts."
                )
        except BaseException:
            os.close(self._file)
            raise

    def append(self, event: Event, sync: bool = True) -> None:
        """Writes one event; when this returns it survives a crash of the process, with `sync` also of the machine.

        Raises OSError when it cannot be written; then the journal is as it was.
        """
        line = to_line(event)
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError("the disk is full")
            if sync:
                os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Frees the file for others."""
        os.close(self._file)


def read_journal(path: Path) -> tuple[list[Event], int]:
    """The events of a journal and the bytes that hold them: a last line without its end does not count.

    Raises InputError naming the first line that is damaged.
    """
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    events = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            events.append(from_line(line))
        except (ValueError, TypeError) as error:
            raise InputError(
                f"Line {number} of {path} is damaged ({error}): restore the file, or cut that line out."
            ) from error
    if events and not isinstance(events[0], Header):
        raise InputError(f"{path} is no journal of the review page: its first line is not the header.")
    return events, len(whole)


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(
            f"{path} is in use by another review page. One process serves all annotators: stop the other one, "
            "or give another --verdicts."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Makes a new file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
