"""The paper's Wide ResNet 28-2."""

import pytest
from torch import nn

from training.networks.wide_resnet import WideResNet


@pytest.mark.parametrize(("size", "width"), [(32, 128), (64, 256), (96, 512)])
def test_depth_follows_the_input_size(size: int, width: int) -> None:
    """log2(size) - 2 stages: 3 at 32 px, 5 at 96 px."""
    assert WideResNet(size).width == width


def test_it_has_28_layers_and_a_million_and_a_half_weights() -> None:
    network = WideResNet(32)
    main_road = [
        module for module in network.modules() if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3)
    ]
    assert len(main_road) == 25  # with the 3 shortcuts of the stages they are 28
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(1.47e6, rel=0.01)
