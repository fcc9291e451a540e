"""Cross-entropy on the labelled images alone."""

from dataclasses import dataclass

import torch
from torch import nn

from training.batches.batch import Batch
from training.losses.step import Step
from training.methods.method import Forward, Method, Progress, supervised_loss
from training.methods.state import State
from training.networks.backbone import frozen_statistics


@dataclass(frozen=True)
class Supervised(Method):
    """The baseline; the unlabelled view only serves the DC3 terms, and is not there where none of them looks at it."""

    learns_unlabelled = False
    views = ("weak",)
    unlabelled_ratio: int = 1

    def step(
        self,
        network: nn.Module,
        teacher: Forward,
        batch: Batch,
        progress: Progress,
        generator: torch.Generator,
        state: State,
    ) -> Step:
        labelled = network(batch.images)
        unlabelled = None
        if batch.views:
            with frozen_statistics(network):
                unlabelled = network(batch.views[0])
        return Step(labelled, unlabelled, None, supervised_loss(labelled, batch), None)
