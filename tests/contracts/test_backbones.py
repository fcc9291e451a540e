"""Every backbone of BACKBONES turns images into pooled features of its stated width."""

import pytest
import torch

from training.networks import BACKBONES, build_network
from training.networks.backbone import frozen_statistics, set_batch_norm_decay
from training.options import NetworkOptions

every_backbone = pytest.mark.parametrize("name", BACKBONES)


@every_backbone
def test_features_have_the_stated_width(name: str) -> None:
    backbone = BACKBONES[name](32, "")
    assert backbone(torch.zeros(2, 3, 32, 32)).shape == (2, backbone.width)


@every_backbone
def test_head_has_k_and_5k_and_one_outputs(name: str) -> None:
    network = build_network(NetworkOptions(name), 32, n_classes=4)
    outputs = network(torch.zeros(2, 3, 32, 32))
    assert [tuple(output.shape) for output in outputs] == [(2, 4), (2, 20), (2,)]
    assert network.head.out_features == 25


@every_backbone
def test_seed_decides_the_weights(name: str) -> None:
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(torch.nn.utils.parameters_to_vector(build_network(NetworkOptions(name), 32, 3).parameters()))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@every_backbone
def test_frozen_statistics_stay_and_move_again(name: str) -> None:
    network = build_network(NetworkOptions(name), 32, 3).train()
    set_batch_norm_decay(network, 0.9)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before = [buffer.clone() for buffer in network.buffers() if buffer.is_floating_point()]
    with frozen_statistics(network):
        network(images)
    still = [buffer.clone() for buffer in network.buffers() if buffer.is_floating_point()]
    assert all(torch.equal(a, b) for a, b in zip(before, still, strict=True))
    network(images)
    moved = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    assert not all(torch.equal(a, b) for a, b in zip(before, moved, strict=True))
