"""Dropout of our own does on a CPU what torch's does."""

import pytest
import torch

from training.networks.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_others_are_scaled_up(share: float) -> None:
    torch.manual_seed(0)
    values = torch.ones(300, 1001, requires_grad=True)
    result = Dropout(share).train()(values)
    dropped = result.detach()
    assert float((dropped == 0).float().mean()) == pytest.approx(share, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    kept = dropped[dropped > 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - share)), rtol=1e-4, atol=0)
    result.sum().backward()
    assert torch.equal(values.grad, dropped)


def test_what_is_dropped_is_drawn_anew_and_hangs_on_torch_s_generator() -> None:
    values, dropout = torch.ones(64, 10), Dropout(0.5).train()
    torch.manual_seed(0)
    first, second = dropout(values), dropout(values)
    torch.manual_seed(0)
    assert torch.equal(dropout(values), first)
    assert not torch.equal(first, second)
    # neither rows nor columns drop together
    assert 0.3 < float(first.mean(0).min() / 2) < float(first.mean(0).max() / 2) < 0.7


def test_nothing_is_dropped_in_evaluation_or_at_a_share_of_zero() -> None:
    values = torch.rand(5, 7)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0).train()(values) is values
