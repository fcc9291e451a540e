"""Batched augmentation of image tensors, the same code on CPU and GPU, random only through the generator.

Weak: horizontal flip and a reflect-padded shift of up to 1/8 (paper). Strong, for FixMatch: RandAugment (Cubuk et
al. 2020) as two random operations an image, then cutout.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

N_OPERATIONS = 2
"""Operations of RandAugment for each image (FixMatch, appendix D)."""


def to_unit_range(images: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float() / 127.5 - 1


def weak(images: Tensor, generator: torch.Generator) -> Tensor:
    """Flips half of the (N, 3, H, W) images and shifts each by up to 1/8 of its size, edges reflected."""
    n, _, height, width = images.shape
    reach = max(height, width) // 8
    padded = F.pad(images, (reach, reach, reach, reach), mode="reflect")
    shift = torch.randint(2 * reach + 1, (2, n), generator=generator, device=images.device)
    flip = torch.rand(n, generator=generator, device=images.device) < 0.5
    rows = shift[0][:, None] + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    columns = shift[1][:, None] + torch.where(flip[:, None], columns.flip(0), columns)
    index = torch.arange(n, device=images.device)
    # advanced indices around the channel slice come out first: (n, height, width, 3)
    return padded[index[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def strong(images: Tensor, generator: torch.Generator) -> Tensor:
    """Weak augmentation, two random operations of random strength, and a grey square of half the size at most."""
    images = weak(images, generator)
    n = len(images)
    for _ in range(N_OPERATIONS):
        kinds = torch.randint(len(OPERATIONS), (n,), generator=generator, device=images.device)
        strength = torch.rand(n, generator=generator, device=images.device) * 2 - 1
        chosen = torch.empty_like(images)
        for kind, operation in enumerate(OPERATIONS):
            rows = (kinds == kind).nonzero()[:, 0]
            if len(rows):
                chosen[rows] = operation(images[rows], strength[rows])
        images = chosen.clamp(-1, 1)
    return _cutout(images, generator)


def _cutout(images: Tensor, generator: torch.Generator) -> Tensor:
    n, _, height, width = images.shape
    centre = torch.rand(2, n, 1, generator=generator, device=images.device)
    half = torch.rand(n, 1, generator=generator, device=images.device) * 0.25
    rows = (torch.arange(height, device=images.device) / height - centre[0]).abs() < half
    columns = (torch.arange(width, device=images.device) / width - centre[1]).abs() < half
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


def _affine(images: Tensor, matrix: Tensor) -> Tensor:
    """Samples the images at (n, 2, 3) affine maps of the square [-1, 1]; outside is grey, the middle of the range."""
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _matrix(strength: Tensor, row: int, column: int, reach: float) -> Tensor:
    matrix = torch.eye(2, 3, device=strength.device).repeat(len(strength), 1, 1)
    matrix[:, row, column] = matrix[:, row, column] + strength * reach
    return matrix


def _rotate(images: Tensor, strength: Tensor) -> Tensor:
    angle = strength * math.radians(30)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _affine(images, torch.stack([cos, -sin, zero, sin, cos, zero], 1).view(-1, 2, 3))


def _enhance(images: Tensor, plain: Tensor, strength: Tensor) -> Tensor:
    """Moves each image towards (factor < 1) or away from (factor > 1) its plain version; factors 0.05 to 1.95."""
    factor = (1 + 0.95 * strength).view(-1, 1, 1, 1)
    return plain + (images - plain) * factor


def _grey(images: Tensor) -> Tensor:
    weights = torch.tensor([0.299, 0.587, 0.114], device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True).expand_as(images)


def _brightness(images: Tensor, strength: Tensor) -> Tensor:
    return _enhance(images, torch.full_like(images, -1.0), strength)


def _colour(images: Tensor, strength: Tensor) -> Tensor:
    return _enhance(images, _grey(images), strength)


def _contrast(images: Tensor, strength: Tensor) -> Tensor:
    return _enhance(images, _grey(images).mean((2, 3), keepdim=True).expand_as(images), strength)


def _sharpness(images: Tensor, strength: Tensor) -> Tensor:
    return _enhance(images, F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), 3, stride=1), strength)


def _posterise(images: Tensor, strength: Tensor) -> Tensor:
    """Keeps 4 to 8 bits of each channel."""
    levels = 2 ** (6 + 2 * strength).round().view(-1, 1, 1, 1)
    return ((images + 1) / 2 * levels).floor().clamp(max=levels - 1) / (levels - 1) * 2 - 1


def _solarise(images: Tensor, strength: Tensor) -> Tensor:
    """Inverts what is brighter than a threshold."""
    return torch.where(images >= -strength.view(-1, 1, 1, 1), -images, images)


def _autocontrast(images: Tensor, strength: Tensor) -> Tensor:
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    spread = high - low
    return torch.where(spread > 1e-6, (images - low) / spread.clamp_min(1e-6) * 2 - 1, images)


def _equalise(images: Tensor, strength: Tensor) -> Tensor:
    """Gives each pixel the share of pixels of its channel that are no brighter."""
    flat = images.flatten(2)
    ordered = flat.contiguous().sort(dim=2).values.contiguous()
    ranks = torch.searchsorted(ordered, flat.contiguous(), right=True)
    return (ranks / flat.shape[2] * 2 - 1).view_as(images)


OPERATIONS = (
    lambda images, strength: images,
    _autocontrast,
    _brightness,
    _colour,
    _contrast,
    _equalise,
    _posterise,
    _rotate,
    _sharpness,
    lambda images, strength: _affine(images, _matrix(strength, 0, 1, 0.3)),  # shear along x
    lambda images, strength: _affine(images, _matrix(strength, 1, 0, 0.3)),  # shear along y
    _solarise,
    # the square is 2 wide: 0.6 shifts by up to 30 % of the size
    lambda images, strength: _affine(images, _matrix(strength, 0, 2, 0.6)),
    lambda images, strength: _affine(images, _matrix(strength, 1, 2, 0.6)),
)
"""FixMatch's 14 operations (table 12 there), each (n, 3, H, W), strength (n,) in [-1, 1] -> (n, 3, H, W)."""
