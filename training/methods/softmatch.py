"""SoftMatch: a doubtful guess counts less instead of not at all (Chen et al., ICLR 2023).

Settings of the paper and of the authors' code (USB): momentum 0.999, hard labels, uniform alignment, and a Gaussian
narrower than the batch's confidences by a factor of two.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import cross_entropy, hard_labels
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss
from training.methods.state import Sizes, State, drift
from training.methods.weak_to_strong import pass_and_judge

EPSILON = 1e-6
"""Keeps the alignment finite where a class is never guessed, as in the authors' code."""


@dataclass(frozen=True)
class SoftMatch(Method):
    """Counts by a Gaussian of the confidence, cut off at its mean, whose mean and variance follow the training."""

    views = ("weak", "strong")
    passes_jointly = True
    unlabelled_ratio: int = 7
    weight: float = 1.0
    momentum: float = 0.999
    """m, of mean, variance and class shares."""
    n_sigma: float = 2.0
    """Divides the standard deviation."""

    def make_state(self, sizes: Sizes) -> State:
        """`mean` and `variance` of the confidence, 0-d, and `shares`: (k,) mean guess."""
        uniform = torch.full((sizes.n_classes,), 1 / sizes.n_classes, device=sizes.device)
        return {"mean": uniform[0].clone(), "variance": torch.ones((), device=sizes.device), "shares": uniform}

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """By the truncated Gaussian (Eq. 5 to 8) of the uniformly aligned guesses (Eq. 9), this batch included."""
        shares = drift(state["shares"], guesses.mean(0), self.momentum)
        aligned = guesses * (1 / guesses.shape[1] + EPSILON) / (shares + EPSILON)
        confidence = (aligned / aligned.sum(1, keepdim=True)).amax(1)
        mean = drift(state["mean"], confidence.mean(), self.momentum)
        variance = drift(state["variance"], confidence.var(), self.momentum)
        below = (confidence - mean).clamp(max=0)
        counts = (-(below.square()) / (2 * variance / self.n_sigma**2)).exp()
        return Judged(counts, {"mean": mean, "variance": variance, "shares": shares})

    def target(self, guesses: Tensor) -> Tensor:
        """Hard labels, of the guesses as they are, not aligned."""
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
