"""The contract of a backbone, and batch normalisation that may keep its statistics still."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from data.errors import InputError
from training.networks.normalisation import SIGNED, Normalisation


class Backbone(nn.Module, ABC):
    """Images (N, 3, size, size) -> pooled features (N, width).

    It says what it needs; nobody asks for its name. What it draws comes from torch's own generator, which is seeded.
    """

    width: int
    normalisation: Normalisation = SIGNED
    """What its input must be like; `Network` makes it so, never the backbone itself."""
    takes_pretrained: bool = False
    """Whether it overrides `load_pretrained`."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor: ...

    def load_pretrained(self, path: Path) -> None:
        """Takes the weights of `path`; raises InputError that says what must lie there and what to do."""
        raise InputError(
            f"--pretrained {path}: {type(self).__name__} takes no weights of others; leave --pretrained out, or take"
            " a --network that `dc3 train --help` names with it."
        )


def find_running_statistics(network: nn.Module) -> list[_BatchNorm]:
    """The layers that keep statistics of their input over the steps; none in a network without batch normalisation."""
    return [layer for layer in network.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]


def set_batch_norm_decay(network: nn.Module, decay: float) -> None:
    """Sets how much of the running statistics stays at each update; 0.999 in the authors' code."""
    for layer in find_running_statistics(network):
        layer.momentum = 1 - decay


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Normalises by the batch, but leaves the running statistics as they are.

    The authors update them in the labelled pass only: unlabelled views, more and stronger augmented, would shift them.
    """
    # not a momentum of 0: that would launch three kernels a layer to change nothing
    tracking = find_running_statistics(network)
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
