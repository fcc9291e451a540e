"""torchvision's ResNets as backbones, with ImageNet weights where the user has them."""

from pathlib import Path

import torch
from torch import Tensor, nn

from data.errors import InputError, name_some
from training.networks.backbone import Backbone
from training.networks.normalisation import IMAGENET


class ResNet(Backbone):
    """A torchvision ResNet without its last layer."""

    normalisation = IMAGENET
    takes_pretrained = True

    def __init__(self, name: str) -> None:
        super().__init__()
        from torchvision import models  # here: 3 s that no other backbone needs

        self.net: nn.Module = models.get_model(name, weights=None)
        self.width = int(self.net.fc.in_features)
        self.net.fc = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    def load_pretrained(self, path: Path) -> None:
        """Takes torchvision's weights for this network, all but those of the last layer."""
        self.net.load_state_dict(_read_weights(path, self.net))


def _read_weights(path: Path, net: nn.Module) -> dict[str, Tensor]:
    """Those weights of a torchvision state dict that `net`, which has no last layer, knows."""
    if not path.is_file():
        raise InputError(
            f"No pretrained weights at {path}: give the .pth file that torchvision offers for this network."
        )
    weights = torch.load(path, map_location="cpu", weights_only=True)
    own = net.state_dict()
    wrong = [key for key in own if key not in weights or weights[key].shape != own[key].shape]
    if wrong:
        raise InputError(f"{path} holds weights of another network: {name_some(wrong, 5)} missing or of another shape.")
    return {key: weights[key] for key in own}
