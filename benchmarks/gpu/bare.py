"""The bound of a step: the same passes of the same images through the network, and nothing else."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.gpu.runs import BARE
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import sizes
from benchmarks.gpu.step_time import spread, start_memory
from benchmarks.gpu.trainer import Material, Setup, make_network, prepare_fit
from training.batches.augment import to_unit_range
from training.options import LoopOptions


class Pass(NamedTuple):
    """One forward pass within a step."""

    n_images: int
    with_gradient: bool


def measure_bare(settings: Settings, material: Material, setup: Setup) -> dict[str, object]:
    """Milliseconds of the passes that a step of `setup` makes, forward and backward, run in its mode."""
    size = sizes(settings.tiny)
    passes = record_passes(settings, material, setup)
    network = make_network(settings, material, setup.seed).to(settings.device).train()
    bf16 = setup.precision == "bf16"
    network.to(memory_format=torch.channels_last if bf16 else torch.contiguous_format)
    images = _images(material, max(one.n_images for one in passes), settings.device)
    memory = start_memory(settings.device)
    run = _in_mode(setup.mode, network, lambda: _forward_backward(network, passes, images, settings.device, bf16))
    times = []
    for _ in range(size.warm_intervals + size.timed_intervals):
        start = time.perf_counter()
        for _ in range(size.log_every):
            run()
        if settings.device == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000 / size.log_every)
    found = setup._asdict() | spread(times[size.warm_intervals :]) | memory()
    return found | {"variant": BARE + setup.variant, "passes": [list(one) for one in passes]}


def record_passes(settings: Settings, material: Material, setup: Setup) -> list[Pass]:
    """What goes through the network in one eager step of `fit`, the teacher's passes too."""
    passes: list[Pass] = []

    def record(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        passes.append(Pass(len(arguments[0]), torch.is_grad_enabled()))

    eager = setup._replace(mode="eager")
    start_fit = prepare_fit(settings, material, eager, LoopOptions(1, 1, 1))
    # the teacher is a copy of the network, hook included
    start_fit.args[0].register_forward_pre_hook(record)
    with tempfile.TemporaryDirectory() as folder:
        start_fit(checkpoint=Path(folder) / "c.pt", on_losses=lambda losses: None, on_eval=lambda step, network: None)
    if not any(one.with_gradient for one in passes):
        raise RuntimeError(f"The step of {setup.method} made no pass with gradient through the network as a module.")
    return passes


def _images(material: Material, n: int, device: str) -> Tensor:
    """(n, 3, H, W) unlabelled images in [-1, 1]."""
    rows = material.split.unlabelled[torch.arange(n) % len(material.split.unlabelled)]
    return to_unit_range(torch.from_numpy(material.dataset.images[rows]).to(device))


def _forward_backward(network: nn.Module, passes: list[Pass], images: Tensor, device: str, bf16: bool) -> None:
    for parameter in network.parameters():
        parameter.grad = None
    total = torch.zeros((), device=device)
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        for one in passes:
            with torch.set_grad_enabled(one.with_gradient):
                outputs = network(images[: one.n_images])
            if one.with_gradient:
                total = total + sum(output.mean() for output in outputs)
    total.backward()


def _in_mode(mode: str, network: nn.Module, run: Callable[[], None]) -> Callable[[], None]:
    """The passes run as the step is: eagerly, compiled, or as one CUDA graph."""
    if mode.startswith("compiled"):
        network.compile(dynamic=False)
    if not mode.endswith("graph"):
        return run
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay
