"""FixMatch: a confident answer on a weak view is the label of the strong view (Sohn et al., NeurIPS 2020)."""

from dataclasses import dataclass

import torch
from torch import nn

from training.batches.batch import Batch
from training.losses.consistency import pseudo_label_loss
from training.losses.step import Step
from training.methods.method import Forward, Method, Progress, supervised_loss


@dataclass(frozen=True)
class FixMatch(Method):
    """All views in one joint pass, whose statistics batch normalisation keeps, as its authors do."""

    views = ("weak", "strong")
    unlabelled_ratio: int = 7
    weight: float = 1.0
    threshold: float = 0.95

    def step(
        self, network: nn.Module, teacher: Forward, batch: Batch, progress: Progress, generator: torch.Generator
    ) -> Step:
        sizes = [len(batch.images), *(len(view) for view in batch.views)]
        labelled, weak, strong = network(torch.cat([batch.images, *batch.views])).split(sizes)
        losses = pseudo_label_loss(strong.classes, weak.classes, self.threshold)
        return Step(labelled, weak, strong, supervised_loss(labelled, batch), self.weight * losses)
