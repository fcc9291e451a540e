"""What holds for every backbone, as checks that take nothing but the way it is made."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from data.errors import InputError
from training.evaluate.predict import Predictor
from training.loop.average import build_average
from training.networks.backbone import (
    Backbone,
    find_running_statistics,
    frozen_statistics,
    set_batch_norm_decay,
)
from training.networks.freezing import freeze
from training.networks.heads import Head, Network

Make = Callable[[int], Backbone]
SIZE = 16
"""Pixels of a side: little work, though small enough that a deep network ends in a single place."""


def check_features_have_the_stated_width(make: Make) -> None:
    backbone = make(SIZE)
    features = backbone(_images(2))
    assert features.shape == (2, backbone.width)
    assert features.isfinite().all()
    # what it cannot do with, such as a constant output, no head can repair
    assert not torch.equal(features[0], features[1])


def check_head_has_k_and_five_k_and_one_outputs(make: Make) -> None:
    network = _add_head(make(SIZE), 4, 20)
    assert [tuple(output.shape) for output in network(_images(2))] == [(2, 4), (2, 20), (2,)]


def check_seed_decides_the_weights(make: Make) -> None:
    first, again, other = (_weights(_seeded(make, seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def check_statistics_stay_while_frozen(make: Make) -> None:
    network = _add_head(_seeded(make), 3, 15).train()
    layers = find_running_statistics(network)
    set_batch_norm_decay(network, 0.9)
    before = [buffer.clone() for buffer in network.buffers()]
    with frozen_statistics(network):
        network(_images(4))
    assert all(map(torch.equal, before, network.buffers()))
    network(_images(4))
    # not asked of a backbone that keeps none
    assert not layers or not all(map(torch.equal, before, network.buffers()))
    assert find_running_statistics(network) == layers


def check_input_is_normalised_as_declared(make: Make) -> None:
    backbone = _seeded(make)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in backbone.normalisation)
    assert (std > 0).all()
    pixels = torch.randint(256, (2, SIZE, SIZE, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    values = pixels.permute(0, 3, 1, 2) / 255
    seen: list[Tensor] = []
    backbone.register_forward_pre_hook(lambda module, given: seen.append(given[0].clone()))
    network = _add_head(backbone, 3, 15).eval()
    network(values * 2 - 1)
    Predictor(network, ambiguity_aware=True)(pixels)
    for given in seen:
        torch.testing.assert_close(given, (values - mean) / std, rtol=0, atol=1e-5)
    assert len(seen) == 2


def check_images_are_judged_alone(make: Make) -> None:
    """Else the answer of the service would hang on who else asks at the same moment."""
    backbone, images = _seeded(make).eval(), _images(3)
    with torch.inference_mode():
        together, alone = backbone(images), torch.cat([backbone(image[None]) for image in images])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
        assert torch.equal(together, backbone(images))


def check_input_is_left_as_it_was(make: Make) -> None:
    """The batch is read again after the pass: by the DC3 terms, by mixtures, by the next view."""
    backbone, images = _seeded(make), _images(4)
    for module in (backbone.train(), backbone.eval()):
        with torch.inference_mode():
            module(images)
        assert torch.equal(images, _images(4)), "it writes into its input"


def check_size_is_the_one_it_is_made_for(make: Make) -> None:
    for size in (SIZE, 2 * SIZE):
        backbone = _seeded(make, size=size).eval()
        features = backbone(_images(2, size))
        assert features.shape == (2, backbone.width)
        assert features.isfinite().all()


def check_plain_images_have_features(make: Make) -> None:
    """Black, grey, white: a lab has such images, and NaN of one would stop the training or refuse the export."""
    backbone = _seeded(make)
    plain = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 3, SIZE, SIZE).clone()
    for module in (backbone.eval(), backbone.train()):
        assert module(plain).isfinite().all()


def check_gradient_reaches_every_weight(make: Make) -> None:
    backbone = _seeded(make).train()
    optimiser = torch.optim.SGD(backbone.parameters(), lr=0.1)
    idle = {name for name, _ in backbone.named_parameters()}
    # at the second step where the last normalisation of a branch starts at zero, as in timm's residual networks
    for _ in range(2):
        optimiser.zero_grad()
        backbone(_images(4)).square().sum().backward()
        idle -= {name for name, weight in backbone.named_parameters() if weight.grad is not None and weight.grad.any()}
        optimiser.step()
    assert not idle


def check_state_is_all_that_it_learned(make: Make) -> None:
    """Else a checkpoint would come back as another network."""
    trained, fresh = _seeded(make, 0).train(), _seeded(make, 1)
    with torch.no_grad():
        trained(_images(4))
    fresh.load_state_dict(trained.state_dict())
    with torch.inference_mode():
        assert torch.equal(trained.eval()(_images(2)), fresh.eval()(_images(2)))


def check_pretrained_weights_are_its_own_affair(make: Make) -> None:
    backbone = make(SIZE)
    assert backbone.interpolation in ("bilinear", "bicubic")
    assert backbone.takes_pretrained == (type(backbone).load_pretrained is not Backbone.load_pretrained)
    # a path that is not there; or the remedy of a backbone that starts at random
    remedy = "No pretrained weights at gone.pth: give" if backbone.takes_pretrained else "leave --pretrained out"
    with pytest.raises(InputError, match=remedy):
        backbone.load_pretrained("gone.pth")
    assert backbone.weights is None


def check_stages_hold_each_weight_once(make: Make) -> None:
    """What no stage holds would be trained with every --freeze but all."""
    backbone = _seeded(make).train()
    stages = backbone.list_stages()
    weights = dict(backbone.named_parameters())
    assert sorted(name for stage in stages for name in stage) == sorted(weights)
    assert all(stages)
    for first in range(1, len(stages)):
        frozen = _seeded(make).train()
        freeze(frozen, str(len(stages) - first))
        trained = {name for name, weight in frozen.named_parameters() if weight.requires_grad}
        assert trained == {name for stage in stages[first:] for name in stage}


def check_frozen_weights_and_statistics_stay(make: Make) -> None:
    backbone = _seeded(make).train()
    freeze(backbone, "all")
    before = {name: values.clone() for name, values in backbone.state_dict().items()}
    network = _add_head(backbone, 3, 15).train()
    average = build_average(network)
    average.train()
    for module in (network, average):
        module(_images(4))
    torch.stack([output.sum() for output in network(_images(4))]).sum().backward()
    assert all(weight.grad is None for weight in backbone.parameters())
    for held in (backbone, average.module.backbone):
        state = held.state_dict()
        assert all(torch.equal(values, state[name]) for name, values in before.items())
    # nothing is dropped, and an image does not hang on its batch
    torch.testing.assert_close(backbone(_images(2)), backbone(_images(4))[:2], rtol=1e-4, atol=1e-5)


CHECKS: tuple[Callable[[Make], None], ...] = (
    check_features_have_the_stated_width,
    check_head_has_k_and_five_k_and_one_outputs,
    check_seed_decides_the_weights,
    check_statistics_stay_while_frozen,
    check_input_is_normalised_as_declared,
    check_images_are_judged_alone,
    check_input_is_left_as_it_was,
    check_size_is_the_one_it_is_made_for,
    check_plain_images_have_features,
    check_gradient_reaches_every_weight,
    check_state_is_all_that_it_learned,
    check_pretrained_weights_are_its_own_affair,
    check_stages_hold_each_weight_once,
    check_frozen_weights_and_statistics_stay,
)


def _add_head(backbone: Backbone, n_classes: int, n_clusters: int) -> Network:
    return Network(backbone, Head(backbone.width, n_classes, n_clusters))


def _images(count: int, size: int = SIZE) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def _seeded(make: Make, seed: int = 0, size: int = SIZE) -> Backbone:
    torch.manual_seed(seed)
    return make(size)


def _weights(backbone: Backbone) -> Tensor:
    return torch.nn.utils.parameters_to_vector(backbone.parameters())
