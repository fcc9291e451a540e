"""A tiny frozen network, tiny images, and the bank of both."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from data.images.deep import Reading
from data.ingest import Dataset
from training.features.bank import Bank, open_bank
from training.networks import build_network
from training.networks.heads import Network
from training.options import NetworkOptions

SIZE, N_IMAGES, N_VIEWS = 16, 150, 3
Opener = Callable[..., Bank]


def build_tiny(size: int = SIZE, input_size: int = 0, seed: int = 0) -> Network:
    """A network with fixed weights, its batch statistics among them."""
    torch.manual_seed(seed)
    network = build_network(NetworkOptions(network="small", input_size=input_size), size, 3)
    for name, values in network.backbone.named_buffers():
        if name.endswith("running_var"):
            values.uniform_(0.5, 1.5)
    return network


def draw_dataset(n: int = N_IMAGES, size: int = SIZE) -> Dataset:
    """Random images, each with a digest of its own."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), np.uint8)
    names = tuple(f"{number}.png" for number in range(n))
    digests = tuple(f"{number:020x}" for number in range(n))
    return Dataset(pixels, names, np.ones((n, 3), int), ("a", "b", "c"), "f", (), digests, Reading({}))


@pytest.fixture(scope="session")
def network() -> Network:
    return build_tiny()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return draw_dataset()


@pytest.fixture
def opener(network: Network, dataset: Dataset, tmp_path: Path) -> Opener:
    """`open_bank` with defaults for all that a test does not name."""
    device = torch.device("cpu")

    def open_it(
        network: Network = network, dataset: Dataset = dataset, cache: Path = tmp_path, **options: object
    ) -> Bank:
        given = {"n_views": N_VIEWS, "views": frozenset({"weak"}), "device": device} | options
        return partial(open_bank, network, dataset, cache)(**given)  # type: ignore[arg-type]

    return open_it
