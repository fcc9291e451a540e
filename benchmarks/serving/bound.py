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
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    files = read_images(model.parent)
    arrays = np.stack([decode(data, "body") for data in files])
    session.run(None, {"images": arrays[:batch]})
    counts = [0] * n_runs
    start = time.perf_counter()

    def work(run: int) -> None:
        first = run * batch
        while time.perf_counter() - start < seconds:
            places = [(first + step) % len(files) for step in range(batch)]
            images = np.stack([decode(files[place], "body") for place in places]) if decoding else arrays[places]
            session.run(None, {"images": images})
            first += batch
            counts[run] += batch

    runners = [threading.Thread(target=work, args=(run,)) for run in range(n_runs)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return sum(counts) / (time.perf_counter() - start)
