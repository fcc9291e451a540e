"""How far the computation of a bank is: a bar with rate and time left, or two lines where nobody watches."""

import sys
import time
from typing import Any, NamedTuple


class Progress(NamedTuple):
    """One report; the first comes before the work, the last has `done == total`."""

    done: int
    """Views of images whose features are there, those of an earlier call included."""
    total: int
    where: str
    """What computes, in words."""
    notice: str = ""
    """What a person should know, such as damage that was found; empty in most reports."""


class StderrProgress:
    """Shows reports on standard error: a bar on a terminal, elsewhere one line at the start and one at the end."""

    def __init__(self, shows_work: bool = True) -> None:
        """Shows notices alone where `shows_work` is False."""
        self._shows_work = shows_work
        self._bar: Any = None
        self._first: Progress | None = None
        self._since = 0.0

    def __call__(self, progress: Progress) -> None:
        """Shows one report."""
        if progress.notice:
            self._say(progress.notice)
        elif not self._shows_work:
            return
        elif self._first is None:
            self._start(progress)
        elif self._bar is not None:
            self._bar.update(progress.done - self._bar.n)
        if self._first is not None and progress.done == progress.total:
            self._end(progress)

    def _start(self, progress: Progress) -> None:
        from tqdm import tqdm  # here, not above: a borrowed GPU machine has torch alone

        self._first, self._since = progress, time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm(total=progress.total, initial=progress.done, unit="image", desc="features", mininterval=1)
        else:
            there = f"; {progress.done:,} are there, the others" if progress.done else ""
            self._say(f"Features of {progress.total:,} images and views{there} by {progress.where}.")

    def _end(self, progress: Progress) -> None:
        assert self._first is not None
        if self._bar is not None:
            self._bar.close()
        else:
            seconds = time.monotonic() - self._since
            count = progress.done - self._first.done
            self._say(f"{count:,} features in {seconds:.0f} s, {count / max(seconds, 1e-3):.0f} a second.")
        self._first = self._bar = None

    def _say(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            sys.stderr.write(text + "\n")
