"""Copies of a picture are found, different pictures are not."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from data import duplicates
from data.duplicates import find_near


def pictures(n: int) -> np.ndarray:
    coarse = np.random.default_rng(1).integers(0, 256, (n, 6, 6, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((32, 32), Image.Resampling.BICUBIC)) for each in coarse])


def as_jpeg(image: np.ndarray) -> np.ndarray:
    content = io.BytesIO()
    Image.fromarray(image).resize((48, 48)).save(content, "JPEG", quality=60)
    return np.asarray(Image.open(content).resize((32, 32)))


def test_copies_in_another_size_compression_and_brightness_are_near() -> None:
    images = pictures(60)
    copies = np.stack([as_jpeg(images[4]), np.clip(images[9] * 0.8, 0, 255).astype(np.uint8), images[30]])
    assert find_near(np.concatenate([images, copies])).tolist() == [[4, 60], [9, 61], [30, 62]]


def test_flat_pictures_and_mirrored_ones_are_not() -> None:
    flat = np.stack([np.full((32, 32, 3), value, np.uint8) for value in (0, 0, 10, 200)])
    images = pictures(2)
    assert find_near(np.concatenate([flat, images, images[:, :, ::-1]])).shape == (0, 2)


def test_no_images_have_no_pairs() -> None:
    assert find_near(np.empty((0, 32, 32, 3), np.uint8)).shape == (0, 2)


def test_hashes_are_near_up_to_four_bits_and_every_such_pair_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against each with each, with bits that differ in all bands and more pictures of a band than a chunk holds."""
    random = np.random.default_rng(0)
    bits = np.repeat(random.integers(0, 2, (3, 64), np.uint8), 20, axis=0)
    for row in bits[3:]:
        row[random.choice(64, random.integers(0, 7), replace=False)] ^= 1
    bits[1] = bits[2] = bits[0]
    bits[1, [0, 16, 33, 50]] ^= 1
    bits[2, [0, 16, 33, 50, 63]] ^= 1
    hashes = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    monkeypatch.setattr(duplicates, "hash_images", lambda _: hashes)
    monkeypatch.setattr(duplicates, "_CHUNK", 50)
    differ = (bits[:, None] != bits[None]).sum(2)
    expected = [[i, j] for i in range(60) for j in range(i + 1, 60) if differ[i, j] <= 4]
    assert [0, 1] in expected
    assert [0, 2] not in expected
    assert find_near(pictures(1).repeat(60, 0)).tolist() == expected


@pytest.mark.slow
def test_real_photographs_have_the_near_duplicates_that_eyes_find(cifar10h: Path) -> None:
    """7 pairs of 10,000; all are two copies of one photograph (looked at)."""
    with ZipFile(cifar10h / "images.zip") as files:
        names = sorted(name for name in files.namelist() if name.endswith((".png", ".jpg")))
        images = np.stack([np.asarray(Image.open(io.BytesIO(files.read(name))).convert("RGB")) for name in names])
    assert len(find_near(images)) == 7
