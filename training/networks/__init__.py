"""Networks by name; a new backbone is one file and one line here."""

from collections.abc import Callable

from data.errors import InputError
from training.networks.backbone import Backbone
from training.networks.heads import Network
from training.networks.resnet import ResNet
from training.networks.small import Small
from training.networks.wide_resnet import WideResNet
from training.options import NetworkOptions

BACKBONES: dict[str, Callable[[int, str], Backbone]] = {
    "wide_resnet_28_2": lambda size, pretrained: WideResNet(size),
    "resnet18": lambda size, pretrained: ResNet("resnet18", pretrained),
    "resnet50": lambda size, pretrained: ResNet("resnet50", pretrained),
    "small": lambda size, pretrained: Small(size),
}


def build_network(options: NetworkOptions, size: int, n_classes: int, prior: float = 0.5) -> Network:
    """A network with fresh (or pretrained) weights for images of size x size pixels; `prior` is p_A."""
    if options.pretrained and not options.network.startswith("resnet"):
        raise InputError(f"--pretrained takes torchvision weights for a resnet; {options.network} has none.")
    backbone = BACKBONES[options.network](size, options.pretrained)
    return Network(backbone, n_classes, options.clusters_per_class * n_classes, prior)
