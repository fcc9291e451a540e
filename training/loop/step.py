"""One step of a training, from raw images to new weights, without a wait of the host for the device."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.batches.batch import RawBatch
from training.batches.feed import augment_batch
from training.loop.average import update_average
from training.losses.dc3 import TERMS, DC3Weights, dc3_terms
from training.methods.method import Forward, Method, Progress
from training.methods.state import State

READINGS = (*TERMS, "gradient")
"""What a step reports: the weighted terms, and the norm of their gradient."""


class Constants(NamedTuple):
    """What a captured or compiled step holds fixed; another value means another capture."""

    weights: DC3Weights
    ema_decay: float


class Trainee(NamedTuple):
    """All that a step reads and changes; its tensors stay where they are over the whole training."""

    network: nn.Module
    teacher: Forward
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    method: Method
    views: tuple[str, ...]
    progress: Progress
    """0-d tensors, set before each step."""
    generator: torch.Generator
    """Seeded before each step."""
    bf16: bool
    layout: torch.memory_format
    """Of the images."""
    state: State
    """Of the method; the step changes its tensors in place."""


Step = Callable[[RawBatch, Constants], Tensor]
"""Takes one step and returns (len(READINGS),) values on the device."""


def train_step(trainee: Trainee, batch: RawBatch, constants: Constants) -> Tensor:
    """Augments, learns and averages; returns the values of READINGS, (5,) on the device.

    No value is read by the host and no constant copied to the device: the same code runs eagerly on any device and is
    captured as one CUDA graph (`training.loop.graph`).
    """
    network, device = trainee.network, batch.images.device
    augmented = augment_batch(batch, trainee.views, trainee.generator, trainee.layout)
    with torch.autocast(device.type, torch.bfloat16, enabled=trainee.bf16):
        outcome = trainee.method.step(
            network, trainee.teacher, augmented, trainee.progress, trainee.generator, trainee.state
        )
        terms = dc3_terms(outcome, augmented.labels, constants.weights, trainee.generator)
    values = torch.stack([terms[name] for name in TERMS])
    # set to None, not to zero: a captured backward pass then writes the gradients to places of its own
    trainee.optimiser.zero_grad(set_to_none=True)
    values.sum().backward()
    gradients = torch._foreach_norm([p.grad for p in network.parameters() if p.grad is not None])
    trainee.optimiser.step()
    update_average(trainee.average, network, constants.ema_decay)
    return torch.cat([values.detach(), torch.linalg.vector_norm(torch.stack(gradients))[None]])
