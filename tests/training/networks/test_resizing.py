"""Images reach the backbone in its own size, as the weights were learned with, in torch and in the exported file."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from training.networks import build_network
from training.networks.resizing import Resize, Resizing
from training.options import NetworkOptions

BOTH = pytest.mark.parametrize(
    ("stored", "wanted", "mode"), [(12, 32, "bicubic"), (32, 12, "bicubic"), (12, 33, "bilinear"), (33, 12, "bilinear")]
)


def _pixels(side: int) -> np.ndarray:
    """(side, side, 3) uint8, hard edges among them."""
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def _to_images(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1


@BOTH
def test_it_is_torch_s_own_filtered_interpolation_kept_in_range(stored: int, wanted: int, mode: str) -> None:
    images = _to_images(_pixels(stored))
    expected = F.interpolate(images, (wanted, wanted), mode=mode, antialias=True).clamp(-1, 1)
    torch.testing.assert_close(Resize(Resizing(stored, wanted, mode))(images), expected, rtol=0, atol=1e-5)


@BOTH
def test_it_is_what_timm_s_own_evaluation_does_by_pillow(stored: int, wanted: int, mode: str) -> None:
    pixels = 80 + _pixels(stored) // 3  # so that nothing leaves the range, which Pillow would cut after each side
    filtered = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}[mode]
    expected = np.array(Image.fromarray(pixels).resize((wanted, wanted), filtered)).astype(float)
    found = (Resize(Resizing(stored, wanted, mode))(_to_images(pixels))[0].permute(1, 2, 0) + 1) * 127.5
    # it rounds after each side, too
    assert np.abs(found.numpy() - expected).max() < 1.6


def test_images_of_the_right_size_are_not_touched() -> None:
    images = torch.rand(1, 3, 16, 16)
    assert Resize(Resizing(16, 16, "bicubic"))(images) is images
    assert Resize(None)(images) is images


def test_bf16_does_not_blur_it() -> None:
    images = _to_images(_pixels(12))
    resize = Resize(Resizing(12, 32, "bicubic"))
    with torch.autocast("cpu", torch.bfloat16):
        found = resize(images)
    assert torch.equal(found, resize(images))


@pytest.mark.parametrize("network", ["small", "test_resnet"])
def test_a_backbone_sees_its_own_size_and_checkpoints_do_not_know(network: str) -> None:
    options = NetworkOptions(network, input_size=32)
    built = build_network(options, 20, 3).eval()
    seen: list[torch.Tensor] = []
    built.backbone.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    images = _to_images(_pixels(20))
    built(images)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in built.backbone.normalisation)
    expected = F.interpolate(images, (32, 32), mode=built.backbone.interpolation, antialias=True).clamp(-1, 1)
    torch.testing.assert_close(seen[0], ((expected + 1) / 2 - mean) / std, rtol=0, atol=1e-5)
    assert not [name for name in built.state_dict() if "resize" in name or "normalise" in name]
