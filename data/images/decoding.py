"""The project's one image decoder: bytes of any ordinary file to an upright (H, W, 3) uint8 array, or `BadImage`."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from data.images.deep import (
    UNMEASURED,
    Deep,
    NoRange,
    Reading,
    is_premultiplied,
    join_bytes,
    kind_of,
    read_grey,
    spread_of,
    to_8_bit,
    unpack_modes,
)
from data.images.tiff import BROKEN, TIFF_STARTS, Unsupported, check_channels, choose_page, explain_tiff, tags_of
from data.images.unread import name_format

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
"""JPEG 2000 is not among them: its reader in Pillow, OpenJPEG, has a long record of security holes, and a service reads
what anybody sends."""
ORIENTATION, UPRIGHT = 0x0112, 1
"""The EXIF tag, and its value for an image that needs no turning."""
MAX_PIXELS = 50_000_000


class BadImage(ValueError):  # noqa: N818
    """An image that cannot be used; `reason` is one of empty, not_an_image, unsupported, too_large, damaged."""

    def __init__(self, name: str, reason: str, message: str) -> None:
        super().__init__(name, reason, message)
        self.name = name
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


def decode(
    data: bytes | BinaryIO, name: str, max_pixels: int = MAX_PIXELS, reading: Reading = UNMEASURED
) -> np.ndarray:
    """An image file as an upright RGB array (H, W, 3) uint8, transparency laid on white; of an animation the first
    frame.

    The type is read from the bytes, never from the name. `reading` says what becomes of deep pictures and of stacks.
    Raises BadImage; the size is checked in the header, so that a small file cannot claim much memory.
    """
    data = data if isinstance(data, bytes) else data.read()
    with _open(data, name, max_pixels, reading.page) as image:
        kind = kind_of(image)
        # Pillow makes 8 bits of 16-bit colour by its full range, as is wanted where no other one was measured.
        if kind is None or (image.mode in ("RGB", "RGBA") and kind not in (reading.ranges or {})):
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
        deep = _read_deep(image, data, kind, reading)
        try:
            pixels = to_8_bit(deep, reading.ranges)
        except NoRange as error:
            raise BadImage(
                name,
                "unsupported",
                f"it has {kind} values, which the images that the model learnt from do not have: nobody knows which"
                " of them are black and white; send it with 8 bits a channel",
            ) from error
        rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
        return rgb if deep.alpha is None else _to_rgb(Image.fromarray(np.dstack([rgb, deep.alpha])))


def measure(data: bytes, name: str, page: int = 0, max_pixels: int = MAX_PIXELS) -> tuple[str, float, float] | None:
    """Kind, lowest and highest value of a deep picture, a few pixels aside; None for one of 8 bits. Raises BadImage."""
    with _open(data, name, max_pixels, page) as image:
        kind = kind_of(image)
        spread = spread_of(_read_deep(image, data, kind, Reading({}, page)).values) if kind else None
    return (kind, *spread) if kind and spread else None


def plain_format(data: bytes, name: str) -> str | None:
    """Pillow's name of a file's format where the file shows what `decode` gives; None where it is turned by EXIF, has
    transparency or more than 8 bits. Raises BadImage."""
    with _open(data, name, MAX_PIXELS, 0) as image:
        upright = image.getexif().get(ORIENTATION, UPRIGHT) == UPRIGHT
        is_plain = upright and not image.has_transparency_data and kind_of(image) is None
        return image.format if is_plain else None


def looks_like_image(start: bytes) -> bool:
    """Whether the first 32 bytes are those of a file in one of FORMATS."""
    return (
        start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", *TIFF_STARTS))
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or start[4:12] in (b"ftypavif", b"ftypavis")
        or (start[:2] == b"BM" and start[14:18] in (b"\x28\0\0\0", b"\x0c\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"))
    )


def may_be_deep(start: bytes) -> bool:
    """Whether a file that begins so can hold more than 8 bits a channel: a TIFF, or a PNG whose header says so."""
    return start.startswith(TIFF_STARTS) or (start.startswith(b"\x89PNG") and start[24:25] == b"\x10")


def resize(array: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) uint8 squeezed or stretched to (size, size, 3) uint8, antialiased bilinear."""
    if array.shape[:2] == (size, size):
        return array
    return np.array(Image.fromarray(array).resize((size, size), Image.Resampling.BILINEAR))


def _too_large(name: str, size: str, max_pixels: int) -> BadImage:
    return BadImage(name, "too_large", f"an image may have {max_pixels:,} pixels, this has {size}; make it smaller")


@contextmanager
def _open(data: bytes, name: str, max_pixels: int, page: int) -> Iterator[Image.Image]:
    """The image before its pixels are read, its size and channels checked; what goes wrong inside is a BadImage too."""
    if not data:
        raise BadImage(name, "empty", "the file is empty (0 bytes); send the bytes of an image")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            choose_page(image, page)
            check_channels(tags_of(image))
            width, height = image.size
            if width < 1 or height < 1:
                raise BadImage(name, "damaged", f"an image has at least 1 x 1 pixels, this has {width} x {height}")
            if width * height > max_pixels:
                raise _too_large(name, f"{width} x {height}", max_pixels)
            yield image
    except BadImage:
        raise
    except Unsupported as error:
        raise BadImage(name, "unsupported", str(error)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "far more", max_pixels) from error
    except UnidentifiedImageError as error:
        raise _explain(data, name) from error
    except BROKEN as error:
        raise BadImage(name, "damaged", f"the image is damaged or cut off ({error}); send it again") from error


def _explain(data: bytes, name: str) -> BadImage:
    """Why Pillow does not know a file."""
    if explained := explain_tiff(data):
        return BadImage(name, "unsupported", explained)
    known = ", ".join(FORMATS)
    if unread := name_format(data):
        return BadImage(name, "unsupported", f"{unread} is not read; save it as PNG, or as another one of {known}")
    return BadImage(name, "not_an_image", f"not a readable image; send one of {known}")


def _read_deep(image: Image.Image, data: bytes, kind: str, reading: Reading) -> Deep:
    """The upright values of a deep picture that lies open but unread."""
    modes = unpack_modes(image)
    if not modes:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return Deep(kind, read_grey(image, kind, reading.ranges is None), None)
    premultiplied = is_premultiplied(image)
    parts = []
    for mode, raw in modes:
        with Image.open(io.BytesIO(data), formats=FORMATS) as copy:
            choose_page(copy, reading.page)
            copy._mode = mode
            copy.tile = [tile._replace(args=_put_first(tile.args, raw)) for tile in copy.tile]
            copy.load()
            parts.append(np.asarray(ImageOps.exif_transpose(copy)))
    return Deep(kind, *join_bytes(parts, premultiplied))


def _put_first(arguments: tuple[Any, ...] | str | None, raw: str) -> tuple[Any, ...] | str:
    """A tile's arguments with another raw mode, which stands first or alone."""
    return (raw, *arguments[1:]) if isinstance(arguments, tuple) else raw


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "La":
        image = image.convert("LA")  # from there alone Pillow knows a way to other modes
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))
