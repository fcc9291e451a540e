"""What a bank of features hangs on, in words and as the name of its folder."""

import hashlib
import json
from collections.abc import Sequence

import torch
from torch import nn

from data import ingest
from data.ingest import Dataset
from training.networks.heads import Network

RULES = 1
"""Of views and features; grows when equal images and weights get other ones, so that no older bank is taken."""
IMAGES = "images"
"""The one part of a key in which a bank of fewer images may differ and still serve."""


def describe(network: Network, dataset: Dataset, digests: Sequence[str]) -> dict[str, object]:
    """All that a bank's values hang on, votes and seeds not among it."""
    backbone = network.backbone
    frozen = nn.ModuleDict({name: part for name, part in network.named_children() if name != "head"})
    return {
        "rules": [RULES, ingest.RULES],
        "stored_size": int(dataset.images.shape[1]),
        "reading": dataset.reading.to_json(),
        "network": type(backbone).__name__,
        "width": backbone.width,
        "layers": _digest(str(frozen).encode()),
        "weights": digest_weights(frozen),
        IMAGES: digest_images(digests),
    }


def name_key(description: dict[str, object]) -> str:
    """The folder's name."""
    return _digest(json.dumps(description, sort_keys=True).encode())


def digest_images(digests: Sequence[str]) -> str:
    """Of all images, in order."""
    return _digest("\n".join(digests).encode())


def identify_images(dataset: Dataset) -> tuple[str, ...]:
    """What tells each image from all others: the digest of its file, or of its pixels where the source gives none."""
    if dataset.digests:
        return dataset.digests
    return tuple(_digest(dataset.images[row].tobytes()) for row in range(len(dataset.names)))


def digest_weights(module: nn.Module) -> str:
    """Of the names, types, shapes and values of all parameters and buffers, those outside the checkpoint too."""
    digest = hashlib.sha256()
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:20]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
