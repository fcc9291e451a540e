"""What onnxruntime can do on this machine without a server: on decoded arrays, and decoding included."""

import os
import re
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from benchmarks.serving.bodies import read_images
from data.images.decoding import decode

BATCHES = (1, 4, 8, 16, 32, 64)


class Setting(NamedTuple):
    """How onnxruntime is called; each takes all cores."""

    threads: int
    """Of a run."""
    runs: int
    """At a time."""
    batch: int

    @property
    def in_flight(self) -> int:
        """Images that are being worked on: with fewer clients than these it is out of a server's reach."""
        return self.runs * self.batch

    def __str__(self) -> str:
        return f"{self.threads} x {self.runs}, batch {self.batch}"

    @classmethod
    def read(cls, text: str) -> "Setting | None":
        """The setting of that name, None where it is none."""
        found = re.fullmatch(r"(\d+) x (\d+), batch (\d+)", text)
        return cls(*map(int, found.groups())) if found else None


def measure_bound(model: Path, seconds: float, decoding: bool) -> dict[Setting, tuple[float, float, float]]:
    """Images/s, and p50 and p99 in ms of a run, decoding included where it is asked for."""
    cores = os.cpu_count() or 1
    settings = [Setting(*split, batch) for split in sorted({(cores, 1), (1, cores)}) for batch in BATCHES]
    return {setting: _measure(model, setting, seconds, decoding) for setting in settings}


def _measure(model: Path, setting: Setting, seconds: float, decoding: bool) -> tuple[float, float, float]:
    batch = setting.batch
    session = _load(model, setting.threads)
    files = read_images(model.parent)
    arrays = np.stack([decode(data, "body") for data in files])
    session.run(None, {"images": arrays[:batch]})
    rates, took = [0.0] * setting.runs, []
    start = time.perf_counter()

    def work(run: int) -> None:
        first, count = run * batch, 0
        begin = start
        while begin - start < seconds:
            places = [(first + step) % len(files) for step in range(batch)]
            images = np.stack([decode(files[place], "body") for place in places]) if decoding else arrays[places]
            session.run(None, {"images": images})
            first += batch
            count += batch
            end = time.perf_counter()
            took.append(1000 * (end - begin))
            begin = end
        rates[run] = count / (begin - start)  # its own time: a core that is done first counts as busy

    runners = [threading.Thread(target=work, args=(run,)) for run in range(setting.runs)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    p50, p99 = np.quantile(took, (0.5, 0.99))
    return sum(rates), float(p50), float(p99)


def measure_one_by_one(
    model: Path, rate: float, seconds: float, random: bool, seed: int = 0
) -> tuple[float, float, float]:
    """Images/s, p50 and p99 in ms from an image's arrival to its scores, where `rate` a second arrive and run alone.

    On all cores, first come first served, decoding included, in one thread of this process: what the machine does to
    any service at that rate. A rate of 0 lets the next image arrive when the last one is done.
    """
    files = read_images(model.parent)
    session = _load(model, os.cpu_count() or 1)
    gaps = np.random.default_rng(seed)
    took = []
    due = start = time.perf_counter()
    while due < start + seconds:
        time.sleep(max(0.0, due - time.perf_counter()))
        session.run(None, {"images": decode(files[len(took) % len(files)], "body")[None]})
        done = time.perf_counter()
        took.append(1000 * (done - due))
        due = due + (gaps.exponential() if random else 1.0) / rate if rate else done
    p50, p99 = np.quantile(took, (0.5, 0.99))
    return len(took) / (time.perf_counter() - start), float(p50), float(p99)


def _load(model: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
