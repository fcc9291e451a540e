"""UDA: a sharpened answer on a weak view teaches the strong view (Xie et al., NeurIPS 2020).

Settings of the authors' code for CIFAR-10 (google-research/uda, run_cifar10_gpu.sh): seven unlabelled images a labelled
one, temperature 0.4, threshold 0.8, no annealing of the labelled loss.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import confident, cross_entropy, sharpen
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss
from training.methods.state import State
from training.methods.weak_to_strong import pass_and_judge
from training.options import Schedule

STEEPNESS = 5.0
"""Of the log and exp schedules (authors' appendix)."""


@dataclass(frozen=True)
class UDA(Method):
    """Cross-entropy to the sharpened answer, which is the paper's divergence but for a constant."""

    views = ("weak", "strong")
    passes_jointly = True
    unlabelled_ratio: int = 7
    weight: float = 1.0
    threshold: float = 0.8
    """beta, of the answer before it is sharpened."""
    temperature: float = 0.4
    """tau."""
    tsa: Schedule = "none"
    """Training signal annealing, by which a threshold on labelled images grows: none, linear, log or exp."""

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """Those count that reach the threshold."""
        return Judged(confident(guesses, self.threshold), {})

    def target(self, guesses: Tensor) -> Tensor:
        """Sharpened."""
        return sharpen(guesses, self.temperature)

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
        supervised = supervised_loss(labelled, batch)
        if self.tsa != "none":
            answers = (labelled.classes.detach().softmax(1) * batch.targets).sum(1)
            supervised = supervised * _spare_known(answers, annealed(self.tsa, progress.share, targets.shape[1]))
        return Step(labelled, weak, strong, supervised, losses)


def annealed(schedule: Schedule, share: float | Tensor, n_classes: int) -> Tensor:
    """eta_t, 0-d: the threshold that grows from 1 / k to 1 with the share of the steps (section 2.3)."""
    done = torch.as_tensor(share, dtype=torch.float32)
    if schedule == "log":
        done = 1 - (-STEEPNESS * done).exp()
    elif schedule == "exp":
        done = (STEEPNESS * (done - 1)).exp()
    return done * (1 - 1 / n_classes) + 1 / n_classes


def _spare_known(answers: Tensor, threshold: Tensor) -> Tensor:
    """(B,) 0 for images whose label is answered above the threshold; the others share the weight of all.

    The paper takes the mean over the images that are left: their factor makes it the mean over the batch.
    """
    left = (answers <= threshold).to(answers.dtype)
    return left * len(left) / left.sum().clamp(min=1)
