"""What a bank of features hangs on, in words and as the name of its folder."""

import hashlib
import json
from collections.abc import Sequence

from data import ingest
from data.ingest import Dataset
from training.networks.heads import Network
from training.networks.weights import digest_weights

RULES = 1
"""Of views and features; grows when equal images and weights get other ones, so that no older bank is taken."""
IMAGES = "images"
"""The one part of a key in which a bank of fewer images may differ and still serve."""


def describe(network: Network, dataset: Dataset, digests: Sequence[str]) -> dict[str, object]:
    """All that a bank's values hang on, votes and seeds not among it; JSON values."""
    backbone = network.backbone
    return {
        "rules": [RULES, ingest.RULES],
        "stored_size": int(dataset.images.shape[1]),
        "reading": dataset.reading.to_json(),
        "network": getattr(backbone, "network", type(backbone).__name__),
        "width": backbone.width,
        "resizing": backbone.resizing._asdict() if backbone.resizing else None,
        "normalisation": {name: list(values) for name, values in backbone.normalisation._asdict().items()},
        "layers": _digest(str(backbone).encode()),
        "weights": digest_weights(backbone),
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


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
