"""Random views of images, drawn from what each image is: the same ones, whatever is computed beside or before it.

A resumed computation, one on another machine or one after images were added therefore draws the views it would have
drawn anyway.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.batches import augment
from training.batches.augment import HALF_RANGE, Draws, to_unit_range

PLAIN, MIRRORED, WEAK, STRONG = "plain", "mirrored", "weak", "strong"
_DRAW = {WEAK: augment.draw_weak, STRONG: augment.draw_strong}


def make_views(images: np.ndarray, digests: Sequence[str], kind: str, n_views: int) -> np.ndarray:
    """`n_views` views of each of n images: (n * n_views, H, W, 3) uint8, those of an image side by side.

    Args:
        images: (n, H, W, 3) uint8.
        digests: of each image.
        kind: plain, which is the image itself, mirrored (left and right exchanged), weak or strong. Strong views are
            rounded to whole pixel values, so that one graph, the exported one, takes them all.
    """
    if kind == PLAIN:
        return images
    if kind == MIRRORED:
        return np.ascontiguousarray(images[:, :, ::-1])
    draws = _draw(digests, kind, n_views, max(images.shape[1:3]))
    pixels = torch.from_numpy(images).repeat_interleave(n_views, 0)
    if kind == WEAK:
        views = augment.apply_weak(pixels.permute(0, 3, 1, 2), draws)
    else:
        views = ((augment.apply_strong(to_unit_range(pixels), draws) + 1) * HALF_RANGE).round().to(torch.uint8)
    return np.ascontiguousarray(views.permute(0, 2, 3, 1).numpy())


def _draw(digests: Sequence[str], kind: str, n_views: int, size: int) -> Draws:
    generator = torch.Generator()
    drawn: list[tuple[Tensor, ...]] = []
    for digest in digests:
        seed = hashlib.blake2b(f"{kind} {digest}".encode(), digest_size=8).digest()
        generator.manual_seed(int.from_bytes(seed) >> 1)
        drawn.append(_DRAW[kind](n_views, size, generator))
    return tuple(torch.cat(parts, -1) for parts in zip(*drawn, strict=True))
