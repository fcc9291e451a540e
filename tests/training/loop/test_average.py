"""The average of past weights."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.loop.average import build_average, teach_by, update_average


def make_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


def change(network: nn.Module, by: float) -> None:
    with torch.no_grad():
        for values in (*network.parameters(), *network.buffers()):
            values += 1 if not values.is_floating_point() else by


def test_average_keeps_the_decay_and_takes_the_rest() -> None:
    network = make_network()
    average = build_average(network)
    before = [values.clone() for values in network.parameters()]
    change(network, 1.0)
    update_average(average, network, 0.9)
    for old, values in zip(before, average.parameters(), strict=True):
        torch.testing.assert_close(values, old + 0.1)


def test_it_is_torchs_average_to_the_bit_and_to_the_names() -> None:
    """Over the first step, which both take as the start, and four more; buffers are those of the network."""
    network = make_network()
    ours = build_average(network)
    theirs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=False)
    for step in range(5):
        change(network, 0.37)
        update_average(ours, network, 0.99 if step else 0.0)
        theirs.update_parameters(network)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, values in theirs.state_dict().items():
        assert torch.equal(values, ours.state_dict()[name]), name


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_a_network_without_buffers_is_averaged_too(decay: float) -> None:
    network = nn.Linear(2, 2)
    average = build_average(network)
    change(network, 1.0)
    update_average(average, network, decay)
    torch.testing.assert_close(average.module.weight, network.weight - decay)


def test_teacher_answers_with_the_average_and_leaves_its_statistics() -> None:
    network = make_network()
    average = build_average(network).train()
    change(network, 1.0)
    statistics = average.module[1].running_mean.clone()
    images = torch.rand(3, 3, 4, 4)
    answer: Tensor = teach_by(average)(images)
    assert not answer.requires_grad
    assert torch.equal(average.module[1].running_mean, statistics)
    expected = partial(torch.func.functional_call, average.module, dict(average.module.named_parameters()))
    torch.testing.assert_close(answer, expected(images))
