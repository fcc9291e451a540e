"""Networks by name: our own, of which a new one is one file and one line here, and all of timm."""

from collections.abc import Callable

from training.networks.backbone import Backbone
from training.networks.freezing import freeze
from training.networks.heads import Head, Network
from training.networks.resizing import Resizing
from training.networks.small import Small
from training.networks.wide_resnet import WideResNet
from training.options import NetworkOptions

BACKBONES: dict[str, Callable[[int], Backbone]] = {"wide_resnet_28_2": WideResNet, "small": Small}
"""How each of ours is made, with random weights, for images of a size in pixels."""


def build_network(options: NetworkOptions, size: int, n_classes: int, prior: float = 0.5) -> Network:
    """A network with fresh (or pretrained) weights for stored images of size x size pixels; `prior` is p_A."""
    backbone = build_backbone(options, size)
    return Network(backbone, build_head(options, backbone.width, n_classes, prior), options.mirror)


def build_backbone(options: NetworkOptions, size: int) -> Backbone:
    """A backbone for stored images of size x size pixels, its weights loaded and frozen as the options say.

    Raises InputError where the weights are not there or of another network, or the size or the freezing is not its.
    """
    wanted = options.input_size or size
    backbone = _make(options.network)(wanted)
    backbone.resizing = Resizing(size, wanted, backbone.interpolation)
    if options.pretrained:
        backbone.load_pretrained(options.pretrained)
    freeze(backbone, options.freeze)
    return backbone


def _make(network: str) -> Callable[[int], Backbone]:
    if network in BACKBONES:
        return BACKBONES[network]
    from training.networks.from_timm import FromTimm  # here: a borrowed GPU machine has torch alone

    return lambda size: FromTimm(network, size)


def build_head(options: NetworkOptions, width: int, n_classes: int, prior: float = 0.5) -> Head:
    """A fresh head for pooled features (N, width); `prior` is p_A."""
    n_clusters = options.clusters_per_class * n_classes
    return Head(width, n_classes, n_clusters, prior, options.hidden, options.dropout)
