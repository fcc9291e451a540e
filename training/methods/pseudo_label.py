"""Pseudo-Label: believe one's own confident answers (Lee, ICML workshop 2013)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import confident, cross_entropy, hard_labels
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss, warm_up_by_share
from training.methods.state import State
from training.networks.backbone import frozen_statistics


@dataclass(frozen=True)
class PseudoLabel(Method):
    """Cross-entropy with the own argmax where it is confident; one view."""

    views = ("weak",)
    unlabelled_ratio: int = 1
    weight: float = 1.0
    threshold: float = 0.95

    def warm_up(self, progress: Progress) -> Tensor:
        """Over the first 40 % of the steps."""
        return warm_up_by_share(progress)

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """Those count that reach the threshold."""
        return Judged(confident(guesses, self.threshold), {})

    def target(self, guesses: Tensor) -> Tensor:
        """Hard labels."""
        return hard_labels(guesses)

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
            unlabelled = network(batch.views[0])
        guesses = unlabelled.classes.detach().softmax(1)
        losses = cross_entropy(unlabelled.classes, self.target(guesses))
        unsupervised = (
            self.weight * self.warm_up(progress) * self.judge(guesses, batch.unlabelled_rows, state).counts * losses
        )
        return Step(labelled, unlabelled, None, supervised_loss(labelled, batch), unsupervised)
