"""SoftMatch against Eq. 5 to 9 of its paper, typed as loops."""

import math

import pytest

from tests.contracts.methods.planted import N_CLASSES
from tests.training.methods.slow_loops import Rows, cross_entropy, follow, largest, one_hot
from training.methods.softmatch import SoftMatch


class Equations:
    def __init__(self, momentum: float, n_sigma: float) -> None:
        self.m, self.n_sigma = momentum, n_sigma
        self.mu, self.variance = 1 / N_CLASSES, 1.0
        self.p = [1 / N_CLASSES] * N_CLASSES
        self.counts: list[float] = []

    def __call__(self, rows: list[int], weak: Rows, strong: Rows) -> list[float]:
        n, m = len(weak), self.m
        for c in range(N_CLASSES):
            self.p[c] = m * self.p[c] + (1 - m) * sum(answer[c] for answer in weak) / n
        confidences = []
        for answer in weak:
            aligned = [answer[c] * (1 / N_CLASSES) / self.p[c] for c in range(N_CLASSES)]
            confidences.append(max(aligned) / sum(aligned))
        mean = sum(confidences) / n
        variance = sum((value - mean) ** 2 for value in confidences) / n
        self.mu = m * self.mu + (1 - m) * mean
        self.variance = m * self.variance + (1 - m) * n / (n - 1) * variance
        sigma = math.sqrt(self.variance) / self.n_sigma
        self.counts = [
            math.exp(-((value - self.mu) ** 2) / (2 * sigma**2)) if value < self.mu else 1.0 for value in confidences
        ]
        return [
            count * cross_entropy(one_hot(largest(answer)), other)
            for count, answer, other in zip(self.counts, weak, strong, strict=True)
        ]


@pytest.mark.parametrize("momentum", [0.999, 0.7])
def test_losses_over_twelve_steps_are_those_of_the_equations(momentum: float) -> None:
    reference = Equations(momentum, 2.0)
    follow(SoftMatch(momentum=momentum), reference)
    assert max(reference.counts) == 1
    if momentum == 0.7:
        assert min(reference.counts) < 0.1
