"""Runs the process of a part: ends it in time, and starts it anew behind an item that broke it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from benchmarks.gpu.family import mark_as_child
from benchmarks.gpu.parts import Part, part_command
from benchmarks.gpu.results import add_line
from benchmarks.gpu.settings import Settings

AGAIN = 75
"""Exit status of a process that recorded its fault and asks for a fresh one: CUDA stays broken after some faults."""
STARTS = 12
"""Of one part at most: each costs seconds of imports."""
LOG = "log.txt"
COMPILED = "compiled"
"""Folder of what torch.compile made, shared by all processes of the calls over one work folder."""
TICK_S = 0.1


def run_part(part: Part, settings: Settings, deadline: float) -> None:
    """Runs a part until it is done or the time is up; what breaks in it becomes lines of the results.

    Args:
        deadline: in seconds of time.time().
    """
    if deadline <= time.time():
        add_line(settings, part.name, part.name, "cut", reason="no time left for this part")
        return
    marker = marker_path(settings, part.name)
    for _ in range(STARTS):
        marker.unlink(missing_ok=True)
        status = _run_once(part, settings, deadline, marker)
        if status in part.finished:
            return
        if status == AGAIN:
            continue
        if status is None:  # a compiler that was ended leaves half files, on which the next process would fail
            shutil.rmtree(settings.work / COMPILED, ignore_errors=True)
        item = marker.read_text("utf-8") if marker.exists() else part.name
        if status is None and time.time() >= deadline:
            add_line(settings, part.name, item, "cut", reason="the part's time was up")
            return
        reason = f"no result for {part.silent_s:g} s" if status is None else f"its process ended with status {status}"
        add_line(settings, part.name, item, "error", error=f"{reason}; see {LOG}")
        if not marker.exists():
            return  # it broke outside of all items: another start would break as well
    add_line(settings, part.name, part.name, "error", error=f"given up after {STARTS} starts; see {LOG}")


def marker_path(settings: Settings, part: str) -> Path:
    """The file in which the process of a part names the item in hand."""
    return settings.work / f"{part}.now"


def _run_once(part: Part, settings: Settings, deadline: float, marker: Path) -> int | None:
    """Exit status of one process; None where it was ended because of the deadline or an item that hangs."""
    environment = os.environ | mark_as_child() | _environment(settings, deadline)
    with (settings.output / LOG).open("ab") as log:
        # a process group, not a session: it must end with the call
        process = subprocess.Popen(
            part_command(part, settings), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment,
            cwd=Path(__file__).parents[2], process_group=0,
        )  # fmt: skip
        try:
            while process.poll() is None:
                now = time.time()
                changed = marker.stat().st_mtime if marker.exists() else now
                if now >= deadline or now - changed > part.silent_s:
                    return None
                time.sleep(TICK_S)
            return process.returncode
        finally:
            end_group(process)


def _environment(settings: Settings, deadline: float) -> dict[str, str]:
    found = {
        "DC3_GPU_SETTINGS": str(settings.file),
        "DC3_GPU_DEADLINE": repr(deadline),
        "TORCHINDUCTOR_CACHE_DIR": str(settings.work / COMPILED),
        "TRITON_CACHE_DIR": str(settings.work / COMPILED / "triton"),
    }
    if settings.device == "cpu":
        # a compilation takes minutes there: the dry run goes the same way through the code, and compiles nothing
        found |= {"TORCH_COMPILE_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    return found


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and what it started: first asked, then forced."""
    for number, patience_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience_s)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()
