"""The project's one image decoder: bytes of any ordinary file to an upright (H, W, 3) uint8 array, or `BadImage`."""

import io
import struct
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
MAX_PIXELS = 50_000_000

# What Pillow lets through on damaged files. The first four came out of 425,000 files of all formats with bytes cut,
# flipped and copied; the others are what a parser in Python may raise beside them.
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    struct.error,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)


class BadImage(ValueError):  # noqa: N818
    """An image that cannot be used; `reason` is one of empty, not_an_image, too_large, damaged."""

    def __init__(self, name: str, reason: str, message: str) -> None:
        super().__init__(name, reason, message)
        self.name = name
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


def decode(data: bytes | BinaryIO, name: str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """First frame of an image file as an upright RGB array (H, W, 3) uint8, transparency laid on white.

    The type is read from the bytes, never from the name. Raises BadImage; the size is checked in the header, so that
    a small file cannot claim much memory.
    """
    data = data if isinstance(data, bytes) else data.read()
    if not data:
        raise BadImage(name, "empty", "the file is empty (0 bytes); send the bytes of an image")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width < 1 or height < 1:
                raise BadImage(name, "damaged", f"an image has at least 1 x 1 pixels, this has {width} x {height}")
            if width * height > max_pixels:
                raise _too_large(name, f"{width} x {height}", max_pixels)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "far more", max_pixels) from error
    except UnidentifiedImageError as error:
        raise BadImage(name, "not_an_image", f"not a readable image; send one of {', '.join(FORMATS)}") from error
    except _DAMAGED as error:
        raise BadImage(name, "damaged", f"the image is damaged or cut off ({error}); send it again") from error


def resize(array: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 squeezed or stretched to (size, size, 3) uint8, antialiased bilinear."""
    if array.shape[:2] == (size, size):
        return array
    return np.array(Image.fromarray(array).resize((size, size), Image.Resampling.BILINEAR))


def _too_large(name: str, size: str, max_pixels: int) -> BadImage:
    return BadImage(name, "too_large", f"an image may have {max_pixels:,} pixels, this has {size}; make it smaller")


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode[0] in "IF":
        image = Image.fromarray(_to_8_bit(np.asarray(image), image.mode))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))


def _to_8_bit(grey: np.ndarray, mode: str) -> np.ndarray:
    """Deep grey values as uint8: 16-bit by its full range, 32-bit and float, which have none, by their own."""
    if mode.startswith("I;16"):
        return (grey >> 8).astype(np.uint8)
    values = grey.astype(np.float64)
    values = np.where(np.isfinite(values), values, 0.0)
    low, high = values.min(), values.max()
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.asarray(np.rint((values - low) * scale), np.uint8)
