"""The smallest tuning there is, in this process and in others."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def tiny_options() -> list[str]:
    """Options of `dc3 tune` that make a trial last some two seconds, and a killed worker known after six."""
    data = "--preset digits --size 8 --batch-size 16 --device cpu --precision float32"
    # the averages must keep pace with so few steps, or every trial is degenerate
    loop = "--steps 30 --evaluate-every 30 --ema-decay 0.8 --batch-norm-decay 0.8"
    return f"{data} {loop} --heartbeat 2 --grace 6 --study s".split()


@pytest.fixture
def start_worker(tiny_options: list[str]) -> Iterator[Start]:
    """Starts `dc3 tune` in a process of its own; what is left of it and its workers is killed after the test."""
    started = []

    def start(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "dc3", "tune", *tiny_options, *options]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        # its workers are children of it, and go on where only it is killed
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
