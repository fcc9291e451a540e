"""Copies of a picture are found, different pictures are not."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.slow
def test_real_photographs_have_the_near_duplicates_that_eyes_find(cifar10h: Path) -> None:
    """7 pairs of 10,000; all are two copies of one photograph (looked at)."""
    with ZipFile(cifar10h / "images.zip") as files:
        names = sorted(name for name in files.namelist() if name.endswith((".png", ".jpg")))
        images = np.stack([np.asarray(Image.open(io.BytesIO(files.read(name))).convert("RGB")) for name in names])
    assert len(find_near(images)) == 7
