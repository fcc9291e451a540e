"""FlexMatch: a class that is learned less has a lower threshold (Zhang et al., NeurIPS 2021).

Settings of its section 4 and of the authors' code (TorchSSL): FixMatch's, with threshold warm-up and convex mapping.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import confident, cross_entropy, hard_labels
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss
from training.methods.state import Sizes, State
from training.methods.weak_to_strong import pass_and_judge


@dataclass(frozen=True)
class FlexMatch(Method):
    """Remembers of each unlabelled image the last class that it was sure of (curriculum pseudo-labelling)."""

    views = ("weak", "strong")
    passes_jointly = True
    unlabelled_ratio: int = 7
    weight: float = 1.0
    threshold: float = 0.95
    """tau: from which an answer is remembered, and the threshold of the class that is learned best."""

    def make_state(self, sizes: Sizes) -> State:
        """`classes`: (n_unlabelled,) int64, -1 for an image that was never sure."""
        return {"classes": torch.full((sizes.n_unlabelled,), -1, dtype=torch.int64, device=sizes.device)}

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """By the threshold of the guessed class, as learned before this batch (Algorithm 1)."""
        confidence, labels = guesses.max(1)
        sure = labels.masked_fill(confidence < self.threshold, -1)
        # of an image that is twice in a batch the highest class stays, on every device the same one
        latest = torch.full_like(state["classes"], -1).scatter_reduce(0, rows, sure, "amax")
        return Judged(
            confident(guesses, self._thresholds(state["classes"], guesses.shape[1])[labels]),
            {"classes": torch.where(latest >= 0, latest, state["classes"])},
        )

    def _thresholds(self, classes: Tensor, n_classes: int) -> Tensor:
        """(k,) T_t of Eq. 12 with M(x) = x / (2 - x), from the (n_unlabelled,) remembered classes."""
        counts = classes.new_zeros(n_classes + 1).scatter_add(0, classes + 1, torch.ones_like(classes))
        unused, learned = counts[0], counts[1:]
        # Eq. 11 while images that were never sure prevail, else Eq. 7
        effect = learned / torch.maximum(learned.amax(), unused)
        return self.threshold * effect / (2 - effect)

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
