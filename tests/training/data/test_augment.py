"""Augmentation: in range, by generator, and the geometry that it claims."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from training.data import augment

both = pytest.mark.parametrize("augmentation", [augment.weak, augment.strong])


def images(n: int = 16, size: int = 16) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(5)) * 2 - 1


@both
def test_generator_decides_the_result(augmentation: Callable[..., Tensor]) -> None:
    first, again, other = (augmentation(images(), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@both
def test_result_stays_in_range_and_shape(augmentation: Callable[..., Tensor]) -> None:
    for size in (8, 16, 33):
        result = augmentation(images(size=size), torch.Generator().manual_seed(0))
        assert result.shape == (16, 3, size, size)
        assert result.abs().max() <= 1


def test_weak_is_a_flip_and_a_reflected_shift() -> None:
    original = images(64)
    result = augment.weak(original, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(original, (2, 2, 2, 2), mode="reflect")
    flips = set()
    for index in range(64):
        candidates = {}
        for row in range(5):
            for column in range(5):
                cut = padded[index, :, row : row + 16, column : column + 16]
                candidates[row, column, False] = cut
                candidates[row, column, True] = cut.flip(2)
        found = [key for key, cut in candidates.items() if torch.equal(cut, result[index])]
        assert found, f"image {index} is no flip and shift of its original"
        flips.add(found[0][2])
    assert flips == {True, False}


@pytest.mark.parametrize("operation", augment.OPERATIONS)
def test_each_operation_treats_each_image_alone(operation: Callable[[Tensor, Tensor], Tensor]) -> None:
    strength = torch.linspace(-1, 1, 16)
    together = operation(images(), strength)
    alone = torch.cat([operation(images()[row : row + 1], strength[row : row + 1]) for row in range(16)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert torch.isfinite(together).all()


def test_operations_on_a_flat_image_stay_finite() -> None:
    flat = torch.full((4, 3, 8, 8), 0.3)
    for operation in augment.OPERATIONS:
        assert torch.isfinite(operation(flat, torch.linspace(-1, 1, 4))).all()


def test_strong_changes_most_images_and_cuts_out_at_most_a_quarter() -> None:
    ones = torch.ones(256, 3, 32, 32)
    result = augment._cutout(ones, torch.Generator().manual_seed(0))
    share = (result[:, 0] == 0).float().mean((1, 2))
    assert share.max() <= 0.3
    assert share.mean() > 0.02


def test_bytes_map_to_minus_one_and_one() -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 4, 4, 3)
    result = augment.to_unit_range(pixels)
    assert result.shape == (2, 3, 4, 4)
    assert result[:, 0, 0, 0].tolist() == [-1, 1]
