"""The contract of a backbone, and batch normalisation that may keep its statistics still."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from data.errors import InputError
from training.networks.normalisation import SIGNED, Normalisation
from training.networks.resizing import Resizing
from training.networks.weights import Weights


class Backbone(nn.Module, ABC):
    """Images (N, 3, size, size) -> pooled features (N, width).

    It says what it needs; nobody asks for its name. What it draws comes from torch's own generator, which is seeded.
    """

    width: int
    normalisation: Normalisation = SIGNED
    """What its input must be like; `Network` makes it so, never the backbone itself."""
    interpolation: str = "bicubic"
    """How images are brought to its size where they are stored in another."""
    resizing: Resizing | None = None
    """Set where it is built; `Network` does it, before it normalises."""
    takes_pretrained: bool = False
    """Whether it overrides `load_pretrained`."""
    weights: Weights | None = None
    """What `load_pretrained` took over; None of one that started at random."""
    still: tuple[str, ...] = ()
    """Modules that stay as in evaluation: those whose weights are all frozen."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor: ...

    def load_pretrained(self, source: str) -> None:
        """Takes the weights of a file, or its `default` ones, and says so in `weights`.

        Raises InputError that says what must lie there and what to do.
        """
        raise InputError(
            f"--pretrained {source}: {type(self).__name__} takes no weights of others; leave --pretrained out, or take"
            " another --network: `dc3 networks` lists them."
        )

    def list_stages(self) -> list[list[str]]:
        """Names of its weights, stage by stage from the input on: here one stage a child module."""
        return group_names(self, [name for name, _ in self.named_children()])

    def train(self, mode: bool = True) -> "Backbone":
        """As any module, but what is frozen stays in evaluation: its statistics stand still, nothing is dropped."""
        super().train(mode)
        for name in self.still:
            # not eval(): of the backbone itself, which is among them where all is frozen, it would come back here
            nn.Module.train(self.get_submodule(name), False)
        return self


def group_names(module: nn.Module, firsts: Sequence[str]) -> list[list[str]]:
    """Names of the module's weights, cut into stages: each of `firsts` is the child with which one begins.

    Children are told by the start of their weights' names, in the order in which the module has them.
    """
    groups: list[list[str]] = [[]]
    begun = set()
    for name, _ in module.named_parameters():
        first = next((first for first in firsts if name.startswith(f"{first}.")), None)
        if first is not None and first not in begun:
            begun.add(first)
            groups.append([])
        groups[-1].append(name)
    return [group for group in groups if group]


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
