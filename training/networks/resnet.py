"""torchvision's ResNets as backbones, with ImageNet weights where the user has them."""

from pathlib import Path

import torch
from torch import Tensor, nn

from data.errors import InputError, name_some
from training.networks.backbone import Backbone


class ResNet(Backbone):
    """A torchvision ResNet without its last layer; images are rescaled to ImageNet's mean and deviation inside."""

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, pretrained: str = "") -> None:
        super().__init__()
        from torchvision import models  # here: 3 s that no other backbone needs

        self.net: nn.Module = models.get_model(name, weights=None)
        if pretrained:
            self.net.load_state_dict(_read_weights(Path(pretrained), self.net))
        self.width = int(self.net.fc.in_features)
        self.net.fc = nn.Identity()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(((images + 1) / 2 - self.mean) / self.std)


def _read_weights(path: Path, net: nn.Module) -> dict[str, Tensor]:
    """Reads a torchvision state dict; a head of another class count is left at its start values."""
    if not path.is_file():
        raise InputError(
            f"No pretrained weights at {path}: give the .pth file that torchvision offers for this network."
        )
    weights = torch.load(path, map_location="cpu", weights_only=True)
    own = net.state_dict()
    wrong = [
        key for key in own if not key.startswith("fc.") and (key not in weights or weights[key].shape != own[key].shape)
    ]
    if wrong:
        raise InputError(f"{path} holds weights of another network: {name_some(wrong, 5)} missing or of another shape.")
    return {key: own[key] if key.startswith("fc.") else weights[key] for key in own}
