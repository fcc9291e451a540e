"""The proposals' images as files that every browser shows."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from PIL import Image
from tqdm import tqdm

from data.images.decoding import BadImage, plain_format
from data.images.deep import Reading
from data.sources.source import Source

_JPEG = (".jpg", ".jpeg")
BROWSER_SUFFIXES = {"JPEG": _JPEG, "MPO": _JPEG, "PNG": (".png",), "WEBP": (".webp",), "GIF": (".gif",)}
"""Formats that every browser shows, with the suffixes they go by; MPO is Pillow's word for a JPEG of some cameras."""
PORTION = 64
"""Images that are in memory at a time."""


class ImageStore(Protocol):
    """What is needed of the images; `data.sources.source.Source` gives it too, but for deep pictures by no run."""

    def read(self, name: str) -> np.ndarray:
        """One image upright as (H, W, 3) uint8."""

    def content(self, name: str) -> bytes:
        """Its file; of embedded data other bytes."""


@dataclass(frozen=True)
class SeenImages:
    """A source's images as a run saw them."""

    source: Source
    reading: Reading

    def read(self, name: str) -> np.ndarray:
        """One image upright as (H, W, 3) uint8."""
        return self.source.read(name, self.reading)

    def content(self, name: str) -> bytes:
        """Its file."""
        return self.source.content(name)


def write_images(store: ImageStore, names: Sequence[str], folder: Path, show_progress: bool = True) -> dict[str, str]:
    """Writes one file an image and returns the paths below `folder`, by image name.

    The original bytes are kept where a browser shows what the network saw; anything else (TIFF, BMP, more than 8
    bits, turned by EXIF, transparent: the network saw white where the page may be dark) becomes a PNG. No two images
    share a file name, whatever their folders and their case: DCIC knows images by it, and not every disk tells A.png
    from a.png.
    """
    taken: set[str] = set()
    files: dict[str, str] = {}

    def convert(name: str) -> tuple[bytes, str]:
        return to_browser(store, name)

    progress = tqdm(total=len(names), desc="images", disable=not show_progress)
    with ThreadPoolExecutor(os.cpu_count()) as threads, progress:
        for first in range(0, len(names), PORTION):
            portion = names[first : first + PORTION]
            for name, (data, suffix) in zip(portion, threads.map(convert, portion), strict=True):
                files[name] = name_file(name, suffix, taken)
                path = folder / files[name]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            progress.update(len(portion))
    return files


def to_browser(store: ImageStore, name: str) -> tuple[bytes, str]:
    """An image's file for the browser, and the suffix that fits its format."""
    data, pixels = store.content(name), store.read(name)
    try:
        suffixes = BROWSER_SUFFIXES.get(plain_format(data, name) or "")
    except BadImage:
        suffixes = None  # embedded data, whose bytes are no file, or a page of a stack
    if suffixes is None:
        return _to_png(pixels), ".png"
    own = PurePosixPath(name).suffix.lower()
    return data, own if own in suffixes else suffixes[0]


def name_file(name: str, suffix: str, taken: set[str]) -> str:
    """A path for an image, with forward slashes; notes it in `taken`.

    Example: `a/x.tif` as PNG is `a/x.tif.png`; a second image `b/x.tif` is `b/x.tif_1.png`.
    """
    path = PurePosixPath(*(part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..")))
    # DCIC's loader cuts names at '-['
    stem = (path.stem if path.suffix.lower() == suffix else path.name).replace("-[", "_[")
    number, candidate = 0, stem
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem}_{number}"
    taken.add(candidate.casefold())
    return str(path.with_name(candidate + suffix))


def _to_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
