"""The contract of a backbone, and batch normalisation that may keep its statistics still."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """Images (N, 3, size, size) in [-1, 1] -> pooled features (N, width)."""

    width: int

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor: ...


def set_batch_norm_decay(network: nn.Module, decay: float) -> None:
    """Sets how much of the running statistics stays at each update; 0.999 in the authors' code."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1 - decay


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Normalises by the batch, but leaves the running statistics as they are.

    The authors update them in the labelled pass only: unlabelled views, more and stronger augmented, would shift them.
    """
    # not a momentum of 0: that would launch three kernels a layer to change nothing
    tracking = [norm for norm in network.modules() if isinstance(norm, nn.BatchNorm2d) and norm.track_running_stats]
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
