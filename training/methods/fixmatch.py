"""FixMatch: a confident answer on a weak view is the label of the strong view (Sohn et al., NeurIPS 2020)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import confident, cross_entropy, hard_labels
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss
from training.methods.state import State
from training.methods.weak_to_strong import pass_and_judge


@dataclass(frozen=True)
class FixMatch(Method):
    """All views in one joint pass, whose statistics batch normalisation keeps, as its authors do."""

    views = ("weak", "strong")
    passes_jointly = True
    unlabelled_ratio: int = 7
    weight: float = 1.0
    threshold: float = 0.95

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
        labelled, weak, strong, targets, judged = pass_and_judge(self, network, batch, state)
        losses = self.weight * judged.counts * cross_entropy(strong.classes, targets)
        return Step(labelled, weak, strong, supervised_loss(labelled, batch), losses)
