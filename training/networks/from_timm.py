"""Any model of timm as a backbone, with the weights that come with it or those of a file.

Its ResNets have torchvision's names and give torchvision's outputs: runs of before, which were trained with those,
load as they are.
"""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from data.errors import InputError
from training.networks.backbone import Backbone, group_names
from training.networks.embedded import EMBEDDED, read_embedded
from training.networks.normalisation import Normalisation
from training.networks.origin import find_origin
from training.networks.weight_files import read_weight_file
from training.networks.weights import Weights, digest_weights


class FromTimm(Backbone):
    """A model of timm without its classifier, for images of one size."""

    takes_pretrained = True

    def __init__(self, network: str, size: int) -> None:
        """Raises InputError where timm cannot build it for that size."""
        super().__init__()
        self.network, self.size = network, size
        self.net: nn.Module = _create(network, size)
        about = cast(dict[str, Any], self.net.pretrained_cfg)
        self.normalisation = Normalisation(tuple(about["mean"]), tuple(about["std"]))
        self.interpolation = about["interpolation"]
        self.width = _find_width(self.net, network, size)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    def load_pretrained(self, source: str) -> None:
        """Takes embedded weights, those of timm's hub, or those of a file for this network."""
        if source != "default":
            path = Path(source).expanduser()
            self.net.load_state_dict(read_weight_file(path, self.network, self.net), strict=False)
        elif self.network in EMBEDDED:
            self.net.load_state_dict(read_embedded(self.network, self.net.state_dict()))
        else:
            self.net = _fetch(self.network, self.size)
        origin = find_origin(self.network, source)
        self.weights = Weights(self.network, origin.source, origin.licence, digest_weights(self))

    def list_stages(self) -> list[list[str]]:
        """As timm groups them, coarsely: the stem, then its stages or, of a transformer, its blocks."""
        from timm.models import group_parameters

        match = cast(Any, getattr(self.net, "group_matcher", None))
        if match is None:
            return group_names(self, [f"net.{name}" for name, _ in self.net.named_children()])
        groups = group_parameters(self.net, match(coarse=True))
        return [[f"net.{name}" for name in groups[place]] for place in sorted(groups)]


def _create(network: str, size: int, **options: object) -> nn.Module:
    import timm  # here: 3 s that our own networks, and a machine without it, do not need

    # such as transformers, whose places are learned for one size
    of_one_size = timm.get_pretrained_cfg(network).fixed_input_size
    try:
        net = timm.create_model(network, num_classes=0, **({"img_size": size} if of_one_size else {}), **options)
    except TypeError:  # of one size that cannot be changed: `_find_width` tells whether it is this one
        net = timm.create_model(network, num_classes=0, **options)
    except (AssertionError, ValueError, RuntimeError) as error:
        if options:
            raise
        raise InputError(_refuse_size(network, size, str(error))) from error
    patch = getattr(getattr(net, "patch_embed", None), "patch_size", None)
    if of_one_size and patch and size % patch[0]:
        lower = size // patch[0] * patch[0]
        raise InputError(
            f"{network} cuts its input into patches of {patch[0]} px, and {size} px are no multiple: take --input-size"
            f" {lower or lower + patch[0]} or {lower + patch[0]}."
        )
    return net


def _find_width(net: nn.Module, network: str, size: int) -> int:
    """Features of an image, by one pass: timm's models say it in several ways, and the size is tried with it."""
    net.eval()
    try:
        with torch.no_grad():
            features = net(torch.zeros(1, 3, size, size))
    except (AssertionError, ValueError, RuntimeError) as error:
        raise InputError(_refuse_size(network, size, str(error))) from error
    net.train()
    if not isinstance(features, Tensor) or features.ndim != 2:
        raise InputError(f"{network} gives no pooled features (N, width), and cannot be a backbone; take another.")
    return features.shape[1]


def _refuse_size(network: str, size: int, reason: str) -> str:
    import timm

    own = timm.get_pretrained_cfg(network).input_size[-1]
    first = (reason.splitlines() or ["no reason given"])[0]
    return f"{network} cannot take images of {size} px ({first}): take --input-size {own}, for which it was made."


def _fetch(network: str, size: int) -> nn.Module:
    """The model with the weights of timm's hub, from its cache where they are there already."""
    import timm

    about = timm.get_pretrained_cfg(network)
    if not about.has_weights:
        raise InputError(f"timm has no weights for {network}: leave --pretrained out, or give it a file.")
    try:
        return _create(network, size, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        place = f"https://huggingface.co/{about.hf_hub_id}" if about.hf_hub_id else about.url
        embedded = ", ".join(EMBEDDED)
        raise InputError(
            f"The weights of {network} could not be fetched ({type(error).__name__}). On a machine with a network,"
            f" download the file model.safetensors of {place}, copy it here and give --pretrained that file; or take a"
            f" --network whose weights are embedded: {embedded}."
        ) from error
