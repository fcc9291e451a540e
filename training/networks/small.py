"""A small residual network that trains in about a minute on two cores."""

from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.backbone import Backbone, group_names


class Small(Backbone):
    """A strided stem and three residual stages of 32, 64 and 128 filters at 1/2, 1/4 and 1/8 of the size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.width = 128
        self.stem = _Unit(3, 32, 2)
        self.stages = nn.Sequential(_Residual(32, 32, 1), _Residual(32, 64, 2), _Residual(64, 128, 2))

    def forward(self, images: Tensor) -> Tensor:
        return self.stages(self.stem(images)).mean((2, 3))

    def list_stages(self) -> list[list[str]]:
        """The stem, then each residual stage."""
        return group_names(self, ["stem", *(f"stages.{place}" for place in range(len(self.stages)))])


class _Unit(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(n_out)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class _Residual(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.units = nn.Sequential(_Unit(n_in, n_out, stride), _Unit(n_out, n_out, 1))
        self.shortcut = nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.units(x)
