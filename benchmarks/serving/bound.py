"""What onnxruntime can do on this machine without a server: on decoded arrays, and decoding included."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.serving.bodies import read_images
from serving.images import decode

BATCHES = (1, 4, 8, 16, 32, 64)


def measure_bound(model: Path, seconds: float, decoding: bool) -> dict[str, float]:
    """Images/s by 'threads of a run x runs at a time, batch size', all of which take all cores."""
    cores = os.cpu_count() or 1
    found = {}
    for threads, n_runs in {(cores, 1), (1, cores)}:
        for batch in BATCHES:
            rate = _measure(model, threads, n_runs, batch, seconds, decoding)
            found[f"{threads} x {n_runs}, batch {batch}"] = rate
    return found


def _measure(model: Path, threads: int, n_runs: int, batch: int, seconds: float, decoding: bool) -> float:
    session = _load(model, threads)
    files = read_images(model.parent)
    arrays = np.stack([decode(data, "body") for data in files])
    session.run(None, {"images": arrays[:batch]})
    rates = [0.0] * n_runs
    start = time.perf_counter()

    def work(run: int) -> None:
        first, count = run * batch, 0
        while time.perf_counter() - start < seconds:
            places = [(first + step) % len(files) for step in range(batch)]
            images = np.stack([decode(files[place], "body") for place in places]) if decoding else arrays[places]
            session.run(None, {"images": images})
            first += batch
            count += batch
        rates[run] = count / (time.perf_counter() - start)  # its own time: a core that is done first counts as busy

    runners = [threading.Thread(target=work, args=(run,)) for run in range(n_runs)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return sum(rates)


def measure_one_by_one(model: Path, rate: float, seconds: float, random: bool) -> tuple[float, float, float]:
    """Images/s, p50 and p99 in ms from an image's arrival to its scores, where `rate` a second arrive and run alone.

    On all cores, first come first served, decoding included, in one thread of this process: what the machine does to
    any service at that rate. A rate of 0 lets the next image arrive when the last one is done.
    """
    files = read_images(model.parent)
    session = _load(model, os.cpu_count() or 1)
    gaps = np.random.default_rng()
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
