"""FlexMatch against Algorithm 1 of its paper, typed as loops over a dictionary of images."""

import torch

from tests.contracts.methods.planted import N_CLASSES, N_UNLABELLED, SIZES
from tests.training.methods.slow_loops import Rows, cross_entropy, follow, largest, one_hot
from training.methods.flexmatch import FlexMatch


class Algorithm1:
    def __init__(self, tau: float) -> None:
        self.tau = tau
        self.u = dict.fromkeys(range(N_UNLABELLED), -1)
        self.n_masked = 0

    def thresholds(self) -> list[float]:
        sigma = [sum(1 for label in self.u.values() if label == c) for c in range(N_CLASSES)]
        unused = sum(1 for label in self.u.values() if label == -1)
        thresholds = []
        for c in range(N_CLASSES):
            # Eq. 11 while unused images dominate, else Eq. 7; then Eq. 12 with the convex M(x) = x / (2 - x)
            beta = sigma[c] / max(max(sigma), unused) if max(sigma) < unused else sigma[c] / max(sigma)
            thresholds.append(beta / (2 - beta) * self.tau)
        return thresholds

    def __call__(self, rows: list[int], weak: Rows, strong: Rows) -> list[float]:
        thresholds = self.thresholds()
        for row, answer in zip(rows, weak, strict=True):
            if max(answer) > self.tau:
                self.u[row] = largest(answer)
        losses = []
        for answer, other in zip(weak, strong, strict=True):
            counts = max(answer) > thresholds[largest(answer)]
            self.n_masked += not counts
            losses.append(counts * cross_entropy(one_hot(largest(answer)), other))
        return losses


def test_losses_over_twelve_steps_are_those_of_algorithm_1() -> None:
    reference = Algorithm1(0.95)
    follow(FlexMatch(), reference)
    assert reference.n_masked > 10
    assert -1 not in reference.u.values() or len(set(reference.u.values())) > 3


def test_thresholds_rise_from_zero_and_differ_by_class() -> None:
    method = FlexMatch()
    classes = method.make_state(SIZES)["classes"]
    assert method._thresholds(classes, N_CLASSES).tolist() == [0, 0, 0, 0]
    # 10 of 40 images are remembered: unused ones prevail (Eq. 11)
    classes[:8], classes[8:10] = 0, 1
    expected = [0.95 * (8 / 30) / (2 - 8 / 30), 0.95 * (2 / 30) / (2 - 2 / 30), 0, 0]
    torch.testing.assert_close(method._thresholds(classes, N_CLASSES), torch.tensor(expected))
    # all remembered (Eq. 7): the class that is learned best has tau itself
    classes[:], classes[:10] = 2, 3
    expected = [0, 0, 0.95, 0.95 * (1 / 3) / (2 - 1 / 3)]
    torch.testing.assert_close(method._thresholds(classes, N_CLASSES), torch.tensor(expected))


def test_an_image_that_is_no_longer_sure_keeps_its_class() -> None:
    method = FlexMatch()
    state = {"classes": torch.tensor([2, -1, 1])}
    doubtful = torch.tensor([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3]])
    assert method.judge(doubtful, torch.tensor([0, 1]), state).state["classes"].tolist() == [2, -1, 1]
    sure = torch.tensor([[0.97, 0.03, 0.0], [0.01, 0.98, 0.01]])
    assert method.judge(sure, torch.tensor([0, 1]), state).state["classes"].tolist() == [0, 1, 1]


def test_an_image_twice_in_a_batch_is_remembered_by_its_sure_answer_whatever_the_order() -> None:
    method, state = FlexMatch(), {"classes": torch.tensor([-1, -1])}
    answers = torch.tensor([[0.97, 0.03], [0.5, 0.5], [0.02, 0.98]])
    for order in ([0, 1], [1, 0]):
        judged = method.judge(answers[order], torch.tensor([0, 0]), state)
        assert judged.state["classes"].tolist() == [0, -1]
    for order in ([0, 2], [2, 0]):
        judged = method.judge(answers[order], torch.tensor([0, 0]), state)
        assert judged.state["classes"].tolist() == [1, -1]
