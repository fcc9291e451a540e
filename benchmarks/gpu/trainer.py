"""One training with the library's own parts, from the prepared arrays; all that the benchmark asks of `training`."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch

from benchmarks.gpu.data import read_data
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.sizes import Sizes, sizes
from data.ingest import Dataset
from training.batches.feed import TrainingArrays
from training.batches.loader import prepare
from training.batches.split import Split
from training.loop.fit import fit
from training.loop.runtime import uses_bf16
from training.losses.dc3 import VARIANTS, weigh
from training.methods import METHODS
from training.networks import build_network
from training.networks.heads import Network
from training.options import BatchOptions, DC3Options, LoopOptions, NetworkOptions, OptimiserOptions, SplitOptions


class Setup(NamedTuple):
    """One combination of what is compared."""

    method: str
    variant: str
    mode: str
    """How a step is launched: `execution` of training.loop.runtime.RuntimeOptions."""
    precision: str
    """float32 or bf16."""
    seed: int = 0

    @property
    def name(self) -> str:
        """Key of its line."""
        return f"{self.method} {self.variant} {self.mode} {self.precision}"


class Material(NamedTuple):
    """Data of one seed, on the device where it fits."""

    dataset: Dataset
    split: Split
    arrays: TrainingArrays


def load_material(settings: Settings, seed: int) -> Material:
    """Reads the prepared data and places the images."""
    dataset, split = read_data(settings.data, seed)
    arrays = prepare(dataset, split, SplitOptions(), seed, torch.device(settings.device))
    return Material(dataset, split, arrays)


def make_network(settings: Settings, material: Material, seed: int) -> Network:
    """A fresh network of the paper's setting, prior 0.6, by seed."""
    torch.manual_seed(seed)
    options = NetworkOptions(sizes(settings.tiny).network)
    size = material.dataset.images.shape[1]
    return build_network(options, size, len(material.dataset.classes), DC3Options().prior)


def prepare_fit(settings: Settings, material: Material, setup: Setup, loop: LoopOptions) -> Callable[..., Network]:
    """`fit` at the paper's setting; checkpoint, on_losses and on_eval are left to the caller."""
    return partial(
        fit,
        make_network(settings, material, setup.seed),
        METHODS[setup.method],
        weigh(DC3Options(), VARIANTS[setup.variant]),
        material.arrays,
        loop,
        BatchOptions(sizes(settings.tiny).batch),
        OptimiserOptions(),
        seed=setup.seed,
        device=torch.device(settings.device),
        precision=setup.precision,
        execution=setup.mode,
        show_progress=False,
    )


def loop_options(size: Sizes, steps: int) -> LoopOptions:
    """Evaluations and reads of the losses as the sizes say."""
    return LoopOptions(steps, min(size.evaluate_every, steps), size.log_every)


def best_precision(settings: Settings) -> str:
    """What `auto` means on this device."""
    return "bf16" if uses_bf16("auto", torch.device(settings.device)) else "float32"
