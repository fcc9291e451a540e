"""Pi-model: agree with oneself on another augmentation (Laine and Aila, ICLR 2017)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import squared_difference
from training.losses.step import Step
from training.methods.method import Forward, Method, Progress, supervised_loss, warm_up_by_share
from training.methods.state import State
from training.networks.backbone import frozen_statistics


@dataclass(frozen=True)
class PiModel(Method):
    """The network's own answer on one weak view, held fixed, is the target for the other."""

    views = ("weak", "weak")
    unlabelled_ratio: int = 1
    weight: float = 10.0

    def warm_up(self, progress: Progress) -> Tensor:
        """Over the first 40 % of the steps."""
        return warm_up_by_share(progress)

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
        with frozen_statistics(network):
            guess = network(batch.views[0])
            student = network(batch.views[1])
        consistency = squared_difference(student.classes, guess.classes.softmax(1))
        unsupervised = self.weight * self.warm_up(progress) * consistency
        return Step(labelled, student, guess, supervised_loss(labelled, batch), unsupervised)
