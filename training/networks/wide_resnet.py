"""Wide ResNet 28-2 (Zagoruyko and Komodakis 2016) as the SSL literature and the paper use it."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.backbone import Backbone, group_names

SLOPE = 0.1
"""Of the leaky ReLU."""


class Block(nn.Module):
    """Two pre-activated 3 x 3 convolutions and a shortcut."""

    def __init__(self, n_in: int, n_out: int, stride: int, activate_before_residual: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(n_in)
        self.conv1 = _conv(n_in, n_out, 3, stride)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.conv2 = _conv(n_out, n_out, 3)
        self.shortcut = _conv(n_in, n_out, 1, stride) if n_in != n_out or stride != 1 else None
        self.activate_before_residual = activate_before_residual

    def forward(self, x: Tensor) -> Tensor:
        activated = F.leaky_relu(self.norm1(x), SLOPE)
        y = self.conv2(F.leaky_relu(self.norm2(self.conv1(activated)), SLOPE))
        skipped = activated if self.activate_before_residual else x
        return y + (skipped if self.shortcut is None else self.shortcut(skipped))


class WideResNet(Backbone):
    """Stages of 4 blocks with 32, 64, 128, ... filters; log2(size) - 2 stages, so 3 at 32 px and 5 at 96 px."""

    def __init__(self, size: int, n_filters: int = 32, n_blocks: int = 4) -> None:
        super().__init__()
        n_stages = max(math.ceil(math.log2(size)) - 2, 1)
        blocks: list[nn.Module] = []
        n_in = 16
        for stage in range(n_stages):
            n_out = n_filters << stage
            for block in range(n_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(Block(n_in, n_out, stride, activate_before_residual=stage == 0 and block == 0))
                n_in = n_out
        self.width = n_in
        self.n_blocks = n_blocks
        self.stem = _conv(3, 16, 3)
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(n_in)

    def forward(self, images: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.blocks(self.stem(images))), SLOPE).mean((2, 3))

    def list_stages(self) -> list[list[str]]:
        """The stem, then each stage of blocks; the last normalisation belongs to the last."""
        firsts = range(0, len(self.blocks), self.n_blocks)
        return group_names(self, ["stem", *(f"blocks.{first}" for first in firsts)])


def _conv(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False)
    nn.init.normal_(conv.weight, std=1 / math.sqrt(0.5 * kernel * kernel * n_out))
    return conv
