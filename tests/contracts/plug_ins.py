"""A backbone and a source as someone else would add them: one class each, and nothing changed elsewhere."""

import torch
from torch import Tensor, nn

from training.networks.backbone import Backbone


class GroupNormed(Backbone):
    """Two convolutions with group and layer normalisation: no statistics over the steps at all."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.width = 16
        self.stem = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.groups = nn.GroupNorm(2, 8)
        self.second = nn.Conv2d(8, self.width, 3, 2, 1, bias=False)
        self.layer = nn.LayerNorm(self.width)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.second(torch.relu(self.groups(self.stem(images)))).mean((2, 3))
        # without the bend the squares of a normalised layer would sum to a constant, and no weight would matter
        return torch.relu(self.layer(pooled))
