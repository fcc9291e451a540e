"""MixMatch against its paper, typed as loops, and the draws of its shares."""

import numpy as np
import pytest
import torch
from scipy import stats

from data.errors import InputError
from tests.contracts.methods.planted import N_CLASSES, planted_batch, take_step, unlabelled_losses
from tests.training.methods.slow_loops import Rows, cross_entropy, softmax
from training.methods.method import Progress
from training.methods.mixmatch import MixMatch


def sharpen(p: list[float], temperature: float) -> list[float]:
    powers = [value ** (1 / temperature) for value in p]
    return [power / sum(powers) for power in powers]


def algorithm_1(
    labelled: Rows, targets: Rows, views: list[Rows], shares: list[float], order: list[int]
) -> tuple[list[float], list[float]]:
    """(B) labelled and (U) unlabelled losses of Eq. 3 and 4, each unlabelled one the mean over both views.

    Args:
        labelled: (B, k) logits of the labelled images; the network is linear, so it answers a mixture with theirs.
        views: logits of both views, each (U, k).
        shares: lambda' of Eq. 9 for each image of the shuffled W.
        order: which image each one is mixed with.
    """
    guesses = []
    for first, second in zip(*views, strict=True):
        mean = [(a + b) / 2 for a, b in zip(softmax(first), softmax(second), strict=True)]
        guesses.append(sharpen(mean, 0.5))
    x = labelled + views[0] + views[1]
    p = targets + guesses + guesses
    supervised, differences = [], []
    for i in range(len(x)):
        j, share = order[i], shares[i]
        logits = [share * a + (1 - share) * b for a, b in zip(x[i], x[j], strict=True)]
        target = [share * a + (1 - share) * b for a, b in zip(p[i], p[j], strict=True)]
        answer = softmax(logits)
        if i < len(labelled):
            supervised.append(cross_entropy(target, answer))
        else:
            differences.append(sum((a - t) ** 2 for a, t in zip(answer, target, strict=True)) / N_CLASSES)
    n = len(views[0])
    return supervised, [(differences[i] + differences[n + i]) / 2 for i in range(n)]


def test_losses_are_those_of_algorithm_1() -> None:
    method = MixMatch()
    batch = planted_batch(method)
    step = take_step(method, batch)
    n = len(batch.images) + 2 * len(batch.views[0])
    # the same draws, by the same generator in the order of the step
    generator = torch.Generator().manual_seed(1)
    shares = method._share(n, generator).tolist()
    order = torch.rand(n, generator=generator).argsort().tolist()
    labelled, *views = (images.detach()[:, 0, 0, :N_CLASSES].tolist() for images in (batch.images, *batch.views))
    supervised, unsupervised = algorithm_1(labelled, batch.targets.tolist(), views, shares, order)
    np.testing.assert_allclose(step.supervised.detach().numpy(), supervised, rtol=1e-4)
    np.testing.assert_allclose(step.unsupervised.detach().numpy(), [100 * loss for loss in unsupervised], rtol=1e-4)


@pytest.mark.parametrize("beta", [0.5, 0.75, 2.0])
def test_shares_are_those_of_the_beta_distribution(beta: float) -> None:
    """The larger of X and 1 - X, X ~ Beta(beta, beta), by its quantiles over 20,000 draws."""
    shares = MixMatch(beta=beta)._share(20_000, torch.Generator().manual_seed(0))
    assert shares.min() >= 0.5
    for level in (0.1, 0.5, 0.9):
        expected = stats.beta(beta, beta).ppf(0.5 + level / 2)
        assert float(shares.quantile(level)) == pytest.approx(expected, abs=0.01)


def test_a_beta_that_it_cannot_draw_is_refused() -> None:
    with pytest.raises(InputError, match=r"beta >= 0\.5, not 0\.3"):
        MixMatch(beta=0.3)


def test_it_warms_up_by_images_seen_not_by_share() -> None:
    method = MixMatch()
    seen = (0, 512 * 1024, 1024 * 1024, 2048 * 1024)
    losses = [unlabelled_losses(method, planted_batch(method), Progress(1.0, n_labelled)) for n_labelled in seen]
    assert losses[0].abs().max() == 0
    torch.testing.assert_close(2 * losses[1], losses[2])
    torch.testing.assert_close(losses[2], losses[3])
