"""FreeMatch against Eq. 5 to 13 of its paper, typed as loops."""

import math

import pytest
import torch

from tests.contracts.methods.planted import N_CLASSES
from tests.training.methods.slow_loops import Rows, cross_entropy, follow, largest, one_hot
from training.methods.freematch import FreeMatch, fairness_loss


def sum_norm(values: list[float]) -> list[float]:
    return [value / sum(values) for value in values]


class Equations:
    def __init__(self, momentum: float, w_u: float, w_f: float) -> None:
        self.m, self.w_u, self.w_f = momentum, w_u, w_f
        self.tau = 1 / N_CLASSES
        self.p = [1 / N_CLASSES] * N_CLASSES
        self.h = [1 / N_CLASSES] * N_CLASSES
        self.n_masked = 0

    def __call__(self, rows: list[int], weak: Rows, strong: Rows) -> list[float]:
        n, m = len(weak), self.m
        self.tau = m * self.tau + (1 - m) * sum(max(q) for q in weak) / n
        for c in range(N_CLASSES):
            self.p[c] = m * self.p[c] + (1 - m) * sum(q[c] for q in weak) / n
            self.h[c] = m * self.h[c] + (1 - m) * sum(1 for q in weak if largest(q) == c) / n
        thresholds = [self.p[c] / max(self.p) * self.tau for c in range(N_CLASSES)]
        counts = [max(q) > thresholds[largest(q)] for q in weak]
        self.n_masked += counts.count(False)
        kept = [answer for answer, counted in zip(strong, counts, strict=True) if counted]
        fairness = self.fairness(kept) if kept else 0.0
        return [
            self.w_u * counted * cross_entropy(one_hot(largest(q)), answer) + self.w_f * fairness
            for q, answer, counted in zip(weak, strong, counts, strict=True)
        ]

    def fairness(self, kept: Rows) -> float:
        p = [sum(answer[c] for answer in kept) for c in range(N_CLASSES)]
        h = [sum(1 for answer in kept if largest(answer) == c) for c in range(N_CLASSES)]
        expected = sum_norm([self.p[c] / self.h[c] for c in range(N_CLASSES)])
        found = sum_norm([p[c] / h[c] if h[c] else 0.0 for c in range(N_CLASSES)])
        return sum(e * math.log(f + 1e-12) for e, f in zip(expected, found, strict=True))


# the authors' momentum hardly moves in twelve steps: one of 0.7 puts every equation to the test
@pytest.mark.parametrize("momentum", [0.999, 0.7])
def test_losses_over_twelve_steps_are_those_of_the_equations(momentum: float) -> None:
    method = FreeMatch(momentum=momentum, fairness_weight=0.05)
    reference = Equations(momentum, 1.0, 0.05)
    follow(method, reference)
    assert reference.n_masked > 20 or momentum == 0.999


def test_fairness_is_zero_and_without_gradient_where_no_image_counts() -> None:
    logits = torch.randn(5, 3, requires_grad=True)
    uniform = torch.full((3,), 1 / 3)
    loss = fairness_loss(logits, torch.zeros(5), uniform, uniform)
    loss.backward()
    assert loss == 0
    assert (logits.grad == 0).all()


def test_fairness_has_a_finite_gradient_where_a_class_is_never_answered() -> None:
    logits = torch.tensor([[4.0, 0.0, 0.0], [0.0, 3.0, 0.0]], requires_grad=True)
    uniform = torch.full((3,), 1 / 3)
    fairness_loss(logits, torch.ones(2), uniform, torch.tensor([0.5, 0.5, 0.0])).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0
