"""Time and memory of the real training step: `fit` itself, timed between its own reads of the losses."""

import gc
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import torch

from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import sizes
from benchmarks.gpu.trainer import Material, Setup, prepare_fit
from training.loop.fit import Losses
from training.options import LoopOptions


def measure_step(settings: Settings, material: Material, setup: Setup) -> dict[str, object]:
    """Milliseconds a step (median over intervals), set-up time and peak memory of `fit`."""
    size = sizes(settings.tiny)
    n_intervals = size.warm_intervals + size.timed_intervals
    times: list[float] = []

    def on_losses(losses: Losses) -> None:
        times.append(time.perf_counter())  # the losses have been read: the device has finished the interval

    loop = LoopOptions(n_intervals * size.log_every, n_intervals * size.log_every, size.log_every)
    start_fit = prepare_fit(settings, material, setup, loop)
    with tempfile.TemporaryDirectory() as folder, warnings_of_training() as warnings:
        memory = start_memory(settings.device)
        start = time.perf_counter()
        start_fit(checkpoint=Path(folder) / "c.pt", on_losses=on_losses, on_eval=lambda step, network: None)
    per_step = [(end - begin) * 1000 / size.log_every for begin, end in pairwise(times)]
    timed = per_step[size.warm_intervals - 1 :]
    found = {"first_interval_s": times[0] - start, "warnings": warnings}
    return setup._asdict() | spread(timed) | found | memory()


@contextmanager
def warnings_of_training() -> Iterator[list[str]]:
    """Collects what the library warns of: a step that could not become a graph is timed, and told, as what it is."""
    texts: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("training")
    logger.addHandler(handler)
    try:
        yield texts
    finally:
        logger.removeHandler(handler)


def spread(milliseconds: list[float]) -> dict[str, object]:
    """Median, extremes and number of the intervals."""
    return {
        "ms": statistics.median(milliseconds),
        "ms_min": min(milliseconds),
        "ms_max": max(milliseconds),
        "intervals": len(milliseconds),
    }


def start_memory(device: str) -> Callable[[], dict[str, object]]:
    """Frees what is left of the item before, and returns what reads the peak from now on (MiB); empty on a CPU."""
    gc.collect()
    if device != "cuda":
        return dict
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()

    def read() -> dict[str, object]:
        torch.cuda.synchronize()
        return {
            "peak_mib": torch.cuda.max_memory_allocated() / 2**20,
            "peak_reserved_mib": torch.cuda.max_memory_reserved() / 2**20,
        }

    return read
