"""Device, precision and memory layout of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from data.errors import InputError
from training.options import Execution


def choose_device(name: str) -> torch.device:
    """The named device, or the best one present for 'auto'; raises InputError when it is not there."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, there in present.items() if there)
    if not present[name]:
        there = ", ".join(device for device, is_there in present.items() if is_there)
        raise InputError(f"Device {name} is not available here; available: {there}.")
    return torch.device(name)


def choose_execution(name: Execution, device: torch.device) -> Execution:
    """How a step is launched on the device; raises InputError for a CUDA graph elsewhere."""
    if name == "auto":
        return "graph" if device.type == "cuda" else "eager"
    if name.endswith("graph") and device.type != "cuda":
        raise InputError(f"--execution {name} makes a CUDA graph, the device is {device.type}; leave it at auto.")
    return name


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether matrix products run in bf16."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False


def seed_modules(seed: int, device: torch.device) -> None:
    """Seeds what modules such as dropout draw from, as `torch.manual_seed` does.

    That call notes a trace of its caller for each kind of device that is not in use, which takes a fifth of a
    millisecond, and keeps it.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs on one core of the CPU: the products of a head alone are too small to be shared among several.

    And its weights then hang on no machine's number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
