"""Plain arithmetic for the slow references, typed from the papers: lists and loops, no torch."""

import math
from collections.abc import Callable

import numpy as np
from torch import Tensor

from tests.contracts.methods.planted import N_CLASSES, SIZES, planted_batch, spread_logits, take_step
from training.methods.method import Method

Rows = list[list[float]]


def softmax(logits: list[float]) -> list[float]:
    powers = [math.exp(value - max(logits)) for value in logits]
    return [power / sum(powers) for power in powers]


def largest(values: list[float]) -> int:
    return max(range(len(values)), key=lambda c: values[c])


def cross_entropy(target: list[float], answer: list[float]) -> float:
    """H(target, answer) of two distributions."""
    return -sum(t * math.log(a) for t, a in zip(target, answer, strict=True) if t > 0)


def one_hot(c: int) -> list[float]:
    return [float(number == c) for number in range(N_CLASSES)]


def follow(method: Method, reference: Callable[[list[int], Rows, Rows], list[float]], n_steps: int = 12) -> Tensor:
    """Holds the losses of a method against a reference over several steps of one state; returns the last ones.

    Args:
        reference: gets (U) rows, (U, k) answers on the weak and on the strong view, gives (U) losses, and keeps its
            own state. One image is twice in each batch, with the same answer.
    """
    state = dict(method.make_state(SIZES))
    for seed in range(n_steps):
        weak = spread_logits(seed)
        weak[0] = weak[-1]
        batch = planted_batch(method, seed=seed, first=weak)
        batch.unlabelled_rows[0] = batch.unlabelled_rows[-1]
        losses = take_step(method, batch, state=state).unsupervised
        assert losses is not None
        weak_answers, strong_answers = (
            [softmax(row) for row in view.detach()[:, 0, 0, :N_CLASSES].tolist()] for view in batch.views
        )
        expected = reference(batch.unlabelled_rows.tolist(), weak_answers, strong_answers)
        np.testing.assert_allclose(losses.detach().numpy(), expected, rtol=1e-4, atol=1e-5, err_msg=f"step {seed}")
    return losses.detach()
