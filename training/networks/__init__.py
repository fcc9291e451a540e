"""Networks by name; a new backbone is one file and one line here."""

from collections.abc import Callable
from pathlib import Path

from training.networks.backbone import Backbone
from training.networks.heads import Head, Network
from training.networks.resnet import ResNet
from training.networks.small import Small
from training.networks.wide_resnet import WideResNet
from training.options import NetworkOptions

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
    return Network(backbone, build_head(options, backbone.width, n_classes, prior))


def build_head(options: NetworkOptions, width: int, n_classes: int, prior: float = 0.5) -> Head:
    """A fresh head for pooled features (N, width); `prior` is p_A."""
    n_clusters = options.clusters_per_class * n_classes
    return Head(width, n_classes, n_clusters, prior, options.hidden, options.dropout)
