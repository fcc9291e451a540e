"""Images that show the same picture: near duplicates by a perceptual hash (ImageHash's pHash)."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from PIL import Image

DISTANCE = 4
"""Bits of 64 in which two hashes may differ. Of CIFAR-10H's 10,000 images 10 pairs are as near, each two copies of one
photograph; at 6 bits 2 of the next 16 pairs are different ones."""
CORRELATION = 0.95
"""Least correlation of the grey pixels as well. Alone, the hash joins different pictures of few coarse features: of the
2,597 embedded digits it makes 117 pairs, with this 66; and of pictures without contrast it says nothing."""
_CHUNK = 1_000_000


def find_near(images: np.ndarray) -> np.ndarray:
    """(P, 2) row numbers of near duplicates, the lower one first.

    Copies in another size, compression or brightness are found; crops, turned and mirrored ones are not.

    Args:
        images: (N, H, W, 3) uint8.
    """
    hashes = hash_images(images)
    found, near = [np.empty((0, 2), np.int64)], _candidates(hashes)
    for pairs in near:
        close = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= DISTANCE
        found.append(np.unique(pairs[close], axis=0))
    pairs = np.unique(np.concatenate(found), axis=0)
    alike = [_correlate(images[first], images[second]) >= CORRELATION for first, second in pairs]
    return pairs[np.array(alike, dtype=bool)]


def hash_images(images: np.ndarray) -> np.ndarray:
    """(N,) uint64 perceptual hashes."""
    from imagehash import phash  # here: it loads scipy's transforms, which a paper's preset never needs

    bits = np.array([phash(Image.fromarray(image)).hash.ravel() for image in images], dtype=bool).reshape(-1, 64)
    hashes: np.ndarray = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    return hashes


def _candidates(hashes: np.ndarray) -> Iterator[np.ndarray]:
    """(M, 2) pairs, lower row first, among which are all within DISTANCE: of DISTANCE + 1 bands of bits one is equal.

    Comparing each image with each would take hours for a million images.
    """
    edges = np.linspace(0, 64, DISTANCE + 2).astype(int)
    for low, high in pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64(2 ** int(high - low) - 1)
        order = band.argsort(kind="stable")
        cuts = np.flatnonzero(np.diff(band[order])) + 1
        for members in (each for each in np.split(order, cuts) if len(each) > 1):
            step = max(1, _CHUNK // len(members))
            for first in range(0, len(members), step):
                one, two = np.meshgrid(members[first : first + step], members, indexing="ij")
                yield np.column_stack([one[one < two], two[one < two]])


def _correlate(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of the grey values of two pictures, -1 to 1; 0 where one has no contrast."""
    one, two = (image.mean(-1).ravel() - image.mean() for image in (first, second))
    norm = float(np.linalg.norm(one) * np.linalg.norm(two))
    return float(one @ two) / norm if norm > 1e-6 else 0.0
