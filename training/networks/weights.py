"""Which weights a backbone started from, and a digest that tells them from any others."""

import hashlib
from typing import NamedTuple

import torch
from torch import nn


class Weights(NamedTuple):
    """Weights of others that a backbone took over."""

    network: str
    source: str
    """Where they came from, in words; of a file its name alone, no path of a machine."""
    licence: str
    """As timm or the package states it, `unknown` for a file of the user's."""
    digest: str
    """Of `digest_weights`, right after they were taken over."""


UNKNOWN = "unknown"


def digest_weights(backbone: nn.Module) -> str:
    """SHA-256, in hex, over names, kinds, shapes and bytes of all that the backbone has learned, frozen or not."""
    digest = hashlib.sha256()
    for name, values in backbone.state_dict().items():
        values = values.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        # as bytes: numpy does not know bfloat16
        digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
