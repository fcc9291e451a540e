"""Pseudo-Label: believe one's own confident answers (Lee, ICML workshop 2013)."""

from dataclasses import dataclass

import torch
from torch import nn

from training.batches.batch import Batch
from training.losses.consistency import pseudo_label_loss
from training.losses.step import Step
from training.methods.method import Forward, Method, Progress, supervised_loss, warm_up
from training.networks.backbone import frozen_statistics


@dataclass(frozen=True)
class PseudoLabel(Method):
    """Cross-entropy with the own argmax where it is confident; one view."""

    views = ("weak",)
    unlabelled_ratio: int = 1
    weight: float = 1.0
    threshold: float = 0.95

    def step(
        self, network: nn.Module, teacher: Forward, batch: Batch, progress: Progress, generator: torch.Generator
    ) -> Step:
        labelled = network(batch.images)
        with frozen_statistics(network):
            unlabelled = network(batch.views[0])
        losses = pseudo_label_loss(unlabelled.classes, unlabelled.classes, self.threshold)
        unsupervised = self.weight * warm_up(progress) * losses
        return Step(labelled, unlabelled, None, supervised_loss(labelled, batch), unsupervised)
