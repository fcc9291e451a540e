"""Augmentation: in range, by generator, and the geometry that it claims."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from training.batches import augment

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


def operate(name: str, pictures: Tensor, strength: Tensor) -> Tensor:
    kinds = torch.full((len(pictures),), augment.OPERATIONS.index(name))
    return augment.operate(pictures, kinds, strength)


@pytest.mark.parametrize("name", augment.OPERATIONS)
def test_each_image_gets_the_operation_that_it_drew(name: str) -> None:
    """Among images that drew other operations it comes out as it does alone; and none is another's or NaN."""
    pictures, strength = images(56), torch.linspace(-1, 1, 56)
    kinds = torch.arange(56) % len(augment.OPERATIONS)
    mine = kinds == augment.OPERATIONS.index(name)
    together = augment.operate(pictures, kinds, strength)[mine]
    alone = torch.cat([operate(name, pictures[row : row + 1], strength[row : row + 1]) for row in mine.nonzero()[:, 0]])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert torch.isfinite(together).all()
    assert torch.equal(together, pictures[mine]) == (name == "identity")


EXPECTED: dict[str, Callable[[Tensor, float], Tensor]] = {
    "brightness": lambda x, s: -1 + (x + 1) * (1 + 0.95 * s),
    "colour": lambda x, s: grey(x) + (x - grey(x)) * (1 + 0.95 * s),
    "contrast": lambda x, s: grey(x).mean() + (x - grey(x).mean()) * (1 + 0.95 * s),
    "solarise": lambda x, s: torch.where(x >= -s, -x, x),
    "autocontrast": lambda x, s: (x - low(x)) / (low(-x).neg() - low(x)) * 2 - 1,
    "posterise": lambda x, s: ((x + 1) / 2 * 2 ** round(6 + 2 * s)).floor() / (2 ** round(6 + 2 * s) - 1) * 2 - 1,
    "translate_x": lambda x, s: shifted(x, s),
    "translate_y": lambda x, s: shifted(x.mT, s).mT,
}


def grey(x: Tensor) -> Tensor:
    return (x * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0, keepdim=True)


def low(x: Tensor) -> Tensor:
    return x.amin((1, 2), keepdim=True)


def shifted(x: Tensor, strength: float) -> Tensor:
    """Left by 30 % of the width times the strength, where that is a whole number of pixels; grey moves in."""
    n = round(0.3 * strength * x.shape[2])
    return torch.nn.functional.pad(x, (max(-n, 0), max(n, 0)))[:, :, max(n, 0) : max(n, 0) + x.shape[2]]


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("strength", [-1.0, 1.0, 0.5])
def test_operations_do_what_their_names_say(name: str, strength: float) -> None:
    picture = images(1, 20)  # 30 % of 20 pixels are 6, half of that are 3
    result = operate(name, picture, torch.tensor([strength]))[0]
    torch.testing.assert_close(result, EXPECTED[name](picture[0], strength), atol=2e-5, rtol=1e-4)


def test_equalise_gives_the_share_of_pixels_that_are_no_brighter() -> None:
    picture = augment.to_unit_range(torch.randint(256, (1, 9, 9, 3), generator=torch.Generator().manual_seed(0)))
    result = operate("equalise", picture, torch.zeros(1))[0]
    flat = picture[0].flatten(1)
    shares = (flat[:, None, :] <= flat[:, :, None] + 1e-4).float().mean(2)
    torch.testing.assert_close(result.flatten(1), shares * 2 - 1)


def test_rotation_by_a_right_angle_would_turn_the_picture_around() -> None:
    """30 degrees have no exact pixels: four corners move as the rotation says."""
    picture = torch.zeros(1, 3, 33, 33)
    picture[:, :, 16, 28:31] = 1.0  # right of the middle by 12 to 14 pixels
    turned = operate("rotate", picture, torch.ones(1))[0, 0]
    row, column = divmod(int(turned.argmax()), 33)
    # sampled at a map turned by 30 degrees, the bar comes out turned back: up by sin 30, in by cos 30
    assert (16 - row, column - 16) == (pytest.approx(13 * 0.5, abs=1.5), pytest.approx(13 * 0.866, abs=1.5))


@pytest.mark.parametrize(("name", "axis"), [("shear_x", 1), ("shear_y", 0)])
def test_shear_moves_the_far_edge_and_not_the_middle(name: str, axis: int) -> None:
    picture = torch.zeros(1, 3, 33, 33)
    (picture if axis else picture.mT)[:, :, :, 16] = 1.0  # a line through the middle, along the other axis
    sheared = operate(name, picture, torch.ones(1))[0, 0]
    line = (sheared if axis else sheared.mT).argmax(1)
    assert int(line[16]) == 16
    assert int(line[0]) - int(line[32]) == pytest.approx(0.3 * 32, abs=1)


def test_sharpness_of_the_least_strength_is_a_blur() -> None:
    picture = torch.zeros(1, 3, 9, 9)
    picture[:, :, 4, 4] = 0.9
    result = operate("sharpness", picture, torch.tensor([-1.0]))[0, 0]
    assert float(result[3, 3]) == pytest.approx(0.95 * 0.1)
    assert float(result[4, 4]) == pytest.approx(0.1 + 0.05 * 0.8)


def test_operations_on_a_flat_image_stay_finite() -> None:
    flat = torch.full((4, 3, 8, 8), 0.3)
    for name in augment.OPERATIONS:
        assert torch.isfinite(operate(name, flat, torch.linspace(-1, 1, 4))).all()


def test_strong_draws_two_operations_each_as_likely_as_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[Tensor, Tensor]] = []

    def note(pictures: Tensor, kinds: Tensor, strength: Tensor) -> Tensor:
        drawn.append((kinds, strength))
        return pictures

    monkeypatch.setattr(augment, "operate", note)
    augment.strong(images(14_000, 8), torch.Generator().manual_seed(0))
    assert len(drawn) == 2
    for kinds, strength in drawn:
        counts = kinds.bincount()
        assert len(counts) == len(augment.OPERATIONS) == 14
        assert ((counts - 1000).abs() < 150).all()  # five standard deviations
        assert strength.min() < -0.99
        assert strength.max() > 0.99
        assert strength.mean().abs() < 0.03


def test_what_each_image_drew_is_done_as_where_all_is_done_to_all() -> None:
    pictures, generator = images(28 * 8), torch.Generator().manual_seed(0)
    kinds = torch.arange(len(pictures)) % len(augment.OPERATIONS)
    strength = torch.rand(len(pictures), generator=generator) * 2 - 1
    one, other = (do(pictures, kinds, strength) for do in (augment._operate_all, augment._operate_each))
    assert torch.equal(one, other)
    assert not torch.equal(one, pictures)


def test_strong_view_has_random_operations_beside_weak_and_cutout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "apply_weak", lambda pictures, draws: pictures)
    monkeypatch.setattr(augment, "_cut_out", lambda pictures, centre, half: pictures)
    pictures = images(256)
    changed = (augment.strong(pictures, torch.Generator().manual_seed(0)) != pictures).flatten(1).any(1)
    assert 0.9 < changed.float().mean() < 1  # both operations are the identity for 1 in 196 images


def test_strong_view_has_a_grey_square_cut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "operate", lambda pictures, kinds, strength: pictures)
    result = augment.strong(torch.ones(256, 3, 32, 32), torch.Generator().manual_seed(0))
    assert set(result.unique().tolist()) == {0.0, 1.0}
    share = (result[:, 0] == 0).float().mean((1, 2))
    assert (share > 0).float().mean() > 0.9
    assert share.max() <= 0.3  # a quarter, and its border
    for picture in result[share > 0][:20, 0] == 0:
        rows, columns = picture.any(1), picture.any(0)
        assert torch.equal(picture, rows[:, None] & columns[None, :])
        assert int(rows.sum()) <= 17 >= int(columns.sum())


def test_bytes_map_to_minus_one_and_one() -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 4, 4, 3)
    result = augment.to_unit_range(pixels)
    assert result.shape == (2, 3, 4, 4)
    assert result[:, 0, 0, 0].tolist() == [-1, 1]
