"""Networks by name; a new backbone is one file and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.networks.backbone import Backbone
from training.networks.heads import Network
from training.networks.resnet import ResNet
from training.networks.small import Small
from training.networks.wide_resnet import WideResNet


@dataclass(frozen=True)
class NetworkOptions:
    """Which network to train."""

    network: str = "wide_resnet_28_2"
    """wide_resnet_28_2 (paper), resnet18, resnet50 (torchvision) or small."""
    pretrained: str = ""
    """Path of weights for a network that takes them (resnet18, resnet50: torchvision's); empty starts at random."""
    clusters_per_class: int = 5
    """k' / k, the authors' factor; the paper only asks k' > k."""


BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "wide_resnet_28_2": WideResNet,
    "resnet18": lambda size: ResNet("resnet18"),
    "resnet50": lambda size: ResNet("resnet50"),
    "small": Small,
}
"""How each is made, with random weights, for images of a size in pixels."""


def build_network(options: NetworkOptions, size: int, n_classes: int, prior: float = 0.5) -> Network:
    """A network with fresh (or pretrained) weights for images of size x size pixels; `prior` is p_A."""
    backbone = BACKBONES[options.network](size)
    if options.pretrained:
        backbone.load_pretrained(Path(options.pretrained).expanduser())
    return Network(backbone, n_classes, options.clusters_per_class * n_classes, prior)
