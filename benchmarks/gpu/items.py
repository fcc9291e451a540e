"""The child's side of a part: its items one after the other, each a line, faults too."""

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.gpu.family import leave_with_parent
from benchmarks.gpu.results import add_line, items_done
from benchmarks.gpu.settings import Settings, read_settings
from benchmarks.gpu.watch import AGAIN, marker_path

Item = Callable[[], Mapping[str, object]]


class NotHereError(Exception):
    """The item cannot be had here; the text says why."""


def run_items(part: str, list_items: Callable[[Settings], Mapping[str, Item]]) -> int:
    """Runs what is not done yet; returns the exit status."""
    leave_with_parent()
    settings = read_settings(Path(sys.argv[1]))
    done = items_done(settings, part)
    marker = marker_path(settings, part)
    for name, item in list_items(settings).items():
        if name in done:
            continue
        marker.write_text(name, encoding="utf-8")
        start = time.monotonic()
        try:
            found = item()
        except NotHereError as reason:
            add_line(settings, part, name, "skipped", reason=str(reason))
        except Exception as error:  # whatever an item raises is its result
            traceback.print_exc()
            add_line(settings, part, name, "error", error=tell(error), seconds=time.monotonic() - start)
            if "CUDA error" in str(error) or "illegal" in str(error):
                return AGAIN
        else:
            add_line(settings, part, name, "ok", **found, seconds=time.monotonic() - start)
    return 0


def tell(error: BaseException) -> str:
    """Kind and first lines of a fault, and the place in our code where it arose."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    place = f" ({Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {str(error)[:400]}{place}"
