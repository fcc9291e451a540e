"""Typical images of each cluster, small enough to travel with the model: what its doubtful images look like."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from data.images.decoding import resize
from serving.model.card import ModelCard

SIDE = 96
"""Most pixels of a side; an image of the network's input size is kept where that is smaller."""
_QUALITY = 90


def encode_typical(clusters: Sequence[Sequence[np.ndarray]]) -> tuple[tuple[bytes, ...], ...]:
    """JPEG files of (size, size, 3) uint8 images, cluster by cluster.

    JPEG at quality 90 without colour subsampling: about 1.5 kB at 32 px and 6 kB at 96 px.
    """
    return tuple(tuple(_encode(image) for image in images) for images in clusters)


def name_typical(card: ModelCard) -> Mapping[str, bytes]:
    """The card's typical images by the end of their address: '3/0.jpg' is the most typical one of cluster 3."""
    return {
        f"{cluster}/{place}.jpg": image
        for cluster, images in enumerate(card.typical)
        for place, image in enumerate(images)
    }


def _encode(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    small = resize(image, min(SIDE, len(image)))
    Image.fromarray(small).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()
