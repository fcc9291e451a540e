"""Several workers on one machine: started together, stopped together."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from data.errors import InputError

STOP_S = 30.0
"""Time for a stopped worker to queue its trial again, before it is killed."""


def run_processes(target: Callable[..., None], args: tuple[Any, ...], n_processes: int) -> None:
    """Runs the same function in several processes, and stops them all when this one is stopped.

    Raises:
        InputError: all ended with an error; while one goes on, the work gets done.
    """
    threads = str(max((os.cpu_count() or 1) // n_processes, 1))
    # numeric libraries read these when a process imports them, so before it starts
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, threads)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=args, daemon=True) for _ in range(n_processes)]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join()
    finally:
        _stop(processes)
    codes = [process.exitcode for process in processes]
    if all(codes):
        raise InputError(f"All workers ended early, with the exit codes {codes}; their messages stand above.")


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does; a second signal must not disturb what the first one set going."""

    def stop(number: int, frame: FrameType | None) -> None:
        for name in before:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    for name in before:
        signal.signal(name, stop)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _stop(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
    end = time.monotonic() + STOP_S
    for process in processes:
        process.join(max(end - time.monotonic(), 0))
        if process.is_alive():
            process.kill()
