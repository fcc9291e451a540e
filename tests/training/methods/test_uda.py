"""UDA against its paper: sharpened targets, the mask, and training signal annealing, typed as loops."""

import math

import pytest
import torch

from tests.contracts.methods.planted import N_CLASSES, planted_batch, take_step
from tests.training.methods.slow_loops import Rows, cross_entropy, follow, softmax
from training.methods.method import Progress
from training.methods.uda import UDA, annealed


def section_2_and_3(rows: list[int], weak: Rows, strong: Rows) -> list[float]:
    losses = []
    for answer, other in zip(weak, strong, strict=True):
        # softmax of z / tau, by logits ln p that give the same answer
        target = softmax([math.log(p) / 0.4 for p in answer])
        losses.append((max(answer) > 0.8) * cross_entropy(target, other))
    return losses


def test_losses_are_those_of_the_paper() -> None:
    losses = follow(UDA(), section_2_and_3, n_steps=3)
    assert 3 < int((losses == 0).sum()) < len(losses) - 3


@pytest.mark.parametrize("schedule", ["linear", "log", "exp"])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_labelled_images_above_the_annealed_threshold_are_left_out(schedule: str, share: float) -> None:
    alpha = {"linear": share, "log": 1 - math.exp(-share * 5), "exp": math.exp((share - 1) * 5)}[schedule]
    eta = alpha * (1 - 1 / N_CLASSES) + 1 / N_CLASSES
    method = UDA(tsa=schedule)
    batch = planted_batch(method)
    supervised = take_step(method, batch, progress=Progress(share, 0)).supervised.tolist()
    answers = [softmax(row) for row in batch.images[:, 0, 0, :N_CLASSES].tolist()]
    right = [answer[label] for answer, label in zip(answers, batch.labels.tolist(), strict=True)]
    left = [-math.log(p) for p in right if p <= eta]
    assert float(annealed(schedule, share, N_CLASSES)) == pytest.approx(eta)
    # the mean over the batch is the paper's mean over the images that are left
    assert sum(supervised) / len(supervised) == pytest.approx(sum(left) / max(len(left), 1), rel=1e-4)
    assert [loss > 0 for loss in supervised] == [p <= eta for p in right]


def test_without_annealing_all_labelled_images_count() -> None:
    assert (take_step(UDA(), planted_batch(UDA()), progress=Progress(0.0, 0)).supervised > 0).all()
    assert isinstance(annealed("linear", torch.tensor(0.5), 4), torch.Tensor)
