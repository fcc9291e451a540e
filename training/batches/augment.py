"""Batched augmentation of image tensors, the same code on CPU and GPU, random only through the generator.

Weak: horizontal flip and a reflect-padded shift of up to 1/8 (paper). Strong, for FixMatch: RandAugment (Cubuk et
al. 2020) as two random operations an image, then cutout.

Nothing here picks images by a mask, reads a value or copies a constant to the device: each would make the host wait for
the GPU. Every operation is reckoned for all images and kept, by `where`, for those that drew it.

Our own beside kornia 0.9 and torchvision's v2 for what they do, not for their speed (benchmarks/augmentations.py, its
table beside it; CPU time of one thread, 32 px): a strong batch of 64 or 448 takes 46 or 279 ms here, 13 or 54 in kornia
and 2 or 7 in v2, but these draw the two operations once for a whole batch, v2 all the rest as well. FixMatch draws
them for each image: so called, kornia takes 383 or 2434 ms and v2 71 or 397. Both draw from the process-wide random
state, with which a training cannot resume by seed and step, and read 3 to 15 values a batch on the host, which no
captured step may.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

N_OPERATIONS = 2
"""Operations of RandAugment for each image (FixMatch, appendix D)."""


HALF_RANGE = 127.5
"""Of pixels: 0 becomes -1 and 255 becomes 1, in training, in prediction and in the exported file alike."""


def to_unit_range(images: Tensor) -> Tensor:
    """(N, H, W, 3) with values 0 to 255 -> (N, 3, H, W) float32 in [-1, 1]."""
    return images.permute(0, 3, 1, 2).float() / HALF_RANGE - 1


Draws = tuple[Tensor, ...]
"""The random numbers of n images, each tensor (..., n): those of several draws may be joined along their last axis."""


def weak(images: Tensor, generator: torch.Generator) -> Tensor:
    """Flips half of the (N, 3, H, W) images and shifts each by up to 1/8 of its size, edges reflected."""
    return apply_weak(images, draw_weak(len(images), max(images.shape[2:]), generator))


def strong(images: Tensor, generator: torch.Generator) -> Tensor:
    """Weak augmentation, two random operations of random strength, and a grey square of half the size at most."""
    return apply_strong(images, draw_strong(len(images), max(images.shape[2:]), generator))


def draw_weak(n: int, size: int, generator: torch.Generator) -> Draws:
    """What `weak` draws for n images of `size` pixels along their longer side."""
    reach = size // 8
    shift = torch.randint(2 * reach + 1, (2, n), generator=generator, device=generator.device) - reach
    return shift, torch.rand(n, generator=generator, device=generator.device) < 0.5


def draw_strong(n: int, size: int, generator: torch.Generator) -> Draws:
    """What `strong` draws for n images of `size` pixels along their longer side."""
    draws, device = draw_weak(n, size, generator), generator.device
    for _ in range(N_OPERATIONS):
        kinds = torch.randint(len(OPERATIONS), (n,), generator=generator, device=device)
        draws += kinds, torch.rand(n, generator=generator, device=device) * 2 - 1
    return (
        *draws,
        torch.rand(2, n, generator=generator, device=device),
        torch.rand(n, generator=generator, device=device) * 0.25,
    )


def apply_weak(images: Tensor, draws: Draws) -> Tensor:
    """Flips and shifts (N, 3, H, W) images of any number type as drawn; no value changes, it only moves."""
    shift, flip = draws
    n, _, height, width = images.shape
    rows = shift[0][:, None] + torch.arange(height, device=images.device)
    columns = torch.arange(width, device=images.device)
    columns = shift[1][:, None] + torch.where(flip[:, None], columns.flip(0), columns)
    index = torch.arange(n, device=images.device)
    # advanced indices around the channel slice come out first: (n, height, width, 3)
    picked = images[index[:, None, None], :, _reflect(rows, height)[:, :, None], _reflect(columns, width)[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def apply_strong(images: Tensor, draws: Draws) -> Tensor:
    """Augments (N, 3, H, W) images in [-1, 1] as drawn."""
    shift, flip, *operations, centre, half = draws
    images = apply_weak(images, (shift, flip))
    for kinds, strength in zip(operations[::2], operations[1::2], strict=True):
        images = operate(images, kinds, strength).clamp(-1, 1)
    return _cut_out(images, centre, half)


def operate(images: Tensor, kinds: Tensor, strength: Tensor) -> Tensor:
    """Does to each image the one operation that it drew.

    On a GPU, whose numbers the host may not wait for, every operation is done to every image and the drawn one taken;
    on a CPU each is done to the images that drew it: the same to the last bit, in a fifth of the time at 32 px and a
    ninth at 128.

    Args:
        images: (n, 3, H, W).
        kinds: (n,) places in OPERATIONS.
        strength: (n,) in [-1, 1].
    """
    return (_operate_each if images.device.type == "cpu" else _operate_all)(images, kinds, strength)


def _operate_each(images: Tensor, kinds: Tensor, strength: Tensor) -> Tensor:
    result = images.clone()
    for kind in kinds.unique().tolist():
        name, rows = OPERATIONS[kind], (kinds == kind).nonzero()[:, 0]
        if name != "identity":
            result[rows] = _operate_once(name, images[rows], strength[rows])
    return result


def _operate_once(name: str, images: Tensor, strength: Tensor) -> Tensor:
    """One operation on all images."""
    if name in _GEOMETRIC:
        return _warp(images, {one: strength * (one == name) for one in _GEOMETRIC})
    if name in _TONES:
        return _TONES[name](images, strength.view(-1, 1, 1, 1))
    return _mix(images, _PLAIN[name](images), strength)


def _operate_all(images: Tensor, kinds: Tensor, strength: Tensor) -> Tensor:
    chosen = kinds[:, None] == torch.arange(len(OPERATIONS), device=images.device)
    drew = dict(zip(OPERATIONS, chosen[:, :, None, None, None].unbind(1), strict=True))
    amounts = dict(zip(OPERATIONS, (chosen * strength[:, None]).unbind(1), strict=True))
    plain = images
    for name, simplify in _PLAIN.items():
        plain = torch.where(drew[name], simplify(images), plain)
    # where the plain version is the image itself this changes nothing, to the last bit
    result = _mix(images, plain, strength)
    geometric = torch.stack([drew[name] for name in _GEOMETRIC]).any(0)
    result = torch.where(geometric, _warp(images, amounts), result)
    for name, operation in _TONES.items():
        result = torch.where(drew[name], operation(images, strength.view(-1, 1, 1, 1)), result)
    return result


def _mix(images: Tensor, plain: Tensor, strength: Tensor) -> Tensor:
    """Towards (factor < 1) or away from (factor > 1) the plain version, factors 0.05 to 1.95."""
    return plain + (images - plain) * (1 + 0.95 * strength).view(-1, 1, 1, 1)


def _reflect(places: Tensor, size: int) -> Tensor:
    """Mirrors places up to size - 1 beyond either edge, as reflect padding does."""
    return (size - 1) - ((size - 1) - places.abs()).abs()


def _warp(images: Tensor, amounts: dict[str, Tensor]) -> Tensor:
    """Samples all images at affine maps of the square [-1, 1], the identity for an amount of 0; outside is grey."""
    angle = amounts["rotate"] * math.radians(30)
    cos, sin = angle.cos(), angle.sin()
    # the square is 2 wide: 0.6 shifts by up to 30 % of the size
    first = [cos, 0.3 * amounts["shear_x"] - sin, 0.6 * amounts["translate_x"]]
    second = [0.3 * amounts["shear_y"] + sin, cos, 0.6 * amounts["translate_y"]]
    matrix = torch.stack(first + second, 1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _grey(images: Tensor) -> Tensor:
    red, green, blue = images.split(1, 1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _black(images: Tensor) -> Tensor:
    return torch.full_like(images[:, :1], -1.0)


def _mean_grey(images: Tensor) -> Tensor:
    return _grey(images).mean((2, 3), keepdim=True)


def _blur(images: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="reflect"), 3, stride=1)


def _posterise(images: Tensor, strength: Tensor) -> Tensor:
    """Keeps 4 to 8 bits of each channel."""
    levels = torch.exp2((6 + 2 * strength).round())
    return ((images + 1) / 2 * levels).floor().clamp(max=levels - 1) / (levels - 1) * 2 - 1


def _solarise(images: Tensor, strength: Tensor) -> Tensor:
    """Inverts what is brighter than a threshold."""
    return torch.where(images >= -strength, -images, images)


def _autocontrast(images: Tensor, strength: Tensor) -> Tensor:
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    spread = high - low
    return torch.where(spread > 1e-6, (images - low) / spread.clamp_min(1e-6) * 2 - 1, images)


def _equalise(images: Tensor, strength: Tensor) -> Tensor:
    """Gives each pixel the share of pixels of its channel that are no brighter, in 256 levels."""
    levels = ((images.flatten(2) + 1) * HALF_RANGE).round().clamp(0, 255).long()
    counts = torch.zeros(*levels.shape[:2], 256, device=images.device)
    counts = counts.scatter_add(2, levels, torch.ones_like(levels, dtype=counts.dtype))
    shares = counts.cumsum(2) / levels.shape[2]
    return (shares.gather(2, levels) * 2 - 1).view_as(images)


def _cut_out(images: Tensor, centre: Tensor, half: Tensor) -> Tensor:
    """Greys a square; centre (2, n) and half of its side (n,) as shares of the image's."""
    height, width = images.shape[2:]
    centre, half = centre[:, :, None], half[:, None]
    rows = (torch.arange(height, device=images.device) / height - centre[0]).abs() < half
    columns = (torch.arange(width, device=images.device) / width - centre[1]).abs() < half
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)


_GEOMETRIC = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
"""One affine map an image, at most 30 degrees, a shear of 0.3 or a shift of 30 %."""
_PLAIN = {"brightness": _black, "colour": _grey, "contrast": _mean_grey, "sharpness": _blur}
"""Operations between an image and its plain version."""
_TONES = {
    "autocontrast": _autocontrast,
    "equalise": _equalise,
    "posterise": _posterise,
    "solarise": _solarise,
}
"""Operations that give each pixel another value by its own one."""
OPERATIONS = ("identity", *_GEOMETRIC, *_PLAIN, *_TONES)
"""FixMatch's 14 operations (table 12 there), each as likely."""
