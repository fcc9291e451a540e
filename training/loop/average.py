"""The average of past weights, which teaches and evaluates (Tarvainen and Valpola, NeurIPS 2017)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.networks.backbone import frozen_statistics
from training.networks.outputs import Outputs


def build_average(network: nn.Module) -> AveragedModel:
    """A copy of the network without gradient; its class gives the names in all checkpoints, `module.` before each."""
    average = AveragedModel(network)
    average.requires_grad_(False)
    return average


@torch.no_grad()
def update_average(average: AveragedModel, network: nn.Module, decay: float) -> None:
    """Keeps `decay` of the average, takes the rest from the network, and copies its buffers.

    AveragedModel's own update asks the device at every parameter whether it is the first, and waits for the answer.
    """
    torch._foreach_lerp_(list(average.module.parameters()), list(network.parameters()), 1 - decay)
    pairs = list(zip(average.module.buffers(), network.buffers(), strict=True))
    for kind in {new.dtype for _, new in pairs}:
        alike = [(old, new) for old, new in pairs if new.dtype == kind]
        torch._foreach_copy_([old for old, _ in alike], [new for _, new in alike])
    average.n_averaged += 1


def teach_by(average: nn.Module) -> Callable[[Tensor], Outputs]:
    """Forward pass of the averaged weights: normalised by the batch as the student is, without gradient."""

    def teach(images: Tensor) -> Outputs:
        with torch.no_grad(), frozen_statistics(average):
            return average(images)

    return teach
