"""FreeMatch: thresholds that follow the model's own confidence, and fairness among classes (Wang et al., ICLR 2023).

Settings of the paper and of the authors' code (USB): momentum 0.999, hard labels, fairness weight 0.01.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.consistency import confident, cross_entropy, hard_labels
from training.losses.step import Step
from training.methods.method import Forward, Judged, Method, Progress, supervised_loss
from training.methods.state import Sizes, State, drift
from training.methods.weak_to_strong import pass_and_judge

EPSILON = 1e-12
"""Keeps the logarithm of the fairness finite where a class is not answered, as in the authors' code."""


@dataclass(frozen=True)
class FreeMatch(Method):
    """The fairness is one number a batch; each image carries all of it, so that their mean is the paper's loss."""

    views = ("weak", "strong")
    passes_jointly = True
    couples_images = True
    unlabelled_ratio: int = 7
    weight: float = 1.0
    """w_u."""
    fairness_weight: float = 0.01
    """w_f."""
    momentum: float = 0.999
    """lambda, of confidence, class shares and histogram."""

    def make_state(self, sizes: Sizes) -> State:
        """`confidence`: 0-d, tau_t; `shares`: (k,) mean guess, p~_t; `histogram`: (k,) of hard guesses, h~_t."""
        uniform = torch.full((sizes.n_classes,), 1 / sizes.n_classes, device=sizes.device)
        return {"confidence": uniform[0].clone(), "shares": uniform, "histogram": uniform.clone()}

    def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
        """By the self-adaptive threshold of the guessed class (Eq. 5 to 7), this batch included."""
        confidence = drift(state["confidence"], guesses.amax(1).mean(), self.momentum)
        shares = drift(state["shares"], guesses.mean(0), self.momentum)
        histogram = drift(state["histogram"], hard_labels(guesses).mean(0), self.momentum)
        thresholds = shares / shares.amax() * confidence
        counts = confident(guesses, thresholds[guesses.argmax(1)])
        return Judged(counts, {"confidence": confidence, "shares": shares, "histogram": histogram})

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
        fairness = fairness_loss(strong.classes, judged.counts, state["shares"], state["histogram"])
        losses = losses + self.fairness_weight * fairness
        return Step(labelled, weak, strong, supervised_loss(labelled, batch), losses)


def fairness_loss(logits: Tensor, counts: Tensor, shares: Tensor, histogram: Tensor) -> Tensor:
    """L_f of Eq. 9 to 12, 0-d; 0 where no image counts.

    The sign is the paper's and the code's, L_f = -H(p~/h~, p-/h-): it drives the answers away from where they gather.

    Args:
        logits: (U, k) of the strong views.
        counts: (U,) 1 for the images that count, else 0.
        shares: (k,) p~_t.
        histogram: (k,) h~_t.
    """
    answers = logits.softmax(1)
    mean = (answers * counts[:, None]).sum(0)
    answered = (hard_labels(answers.detach()) * counts[:, None]).sum(0)
    expected = _normalise(_divide(shares, histogram))
    found = _normalise(_divide(mean, answered))
    loss = (expected * (found + EPSILON).log()).sum()
    return loss.masked_fill(counts.sum() == 0, 0.0)


def _divide(values: Tensor, by: Tensor) -> Tensor:
    """The quotients, 0 for a class that `by` has not."""
    return (values / by.clamp(min=torch.finfo(by.dtype).tiny)).masked_fill(by == 0, 0.0)


def _normalise(values: Tensor) -> Tensor:
    return values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
