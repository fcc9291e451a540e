"""What a TIFF's tags say that its pixels do not show: pages of a stack, and channels that no picture has."""

import re
import struct
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice
from typing import Any

from PIL import Image, TiffImagePlugin

SUBFILE, WIDTH, BITS_PER_SAMPLE, PHOTOMETRIC, DESCRIPTION, STRIPS, CHANNELS = 254, 256, 258, 262, 270, 273, 277
PLANES, TILES, EXTRA, SAMPLE_FORMAT = 284, 324, 338, 339
_COLOURS = {2: 3, 5: 4, 6: 3, 8: 3}
"""Channels without any extra one, by the photometric tag; grey and palettes have one."""
_RGB, _UNSPECIFIED, _PLANE_BY_PLANE = 2, 0, 2
_SMALL_OR_MASK = 0b101
"""Bits of the subfile tag: a smaller copy of another page, a mask of one."""
_FORMATS = {1: "", 2: " signed", 3: " float"}
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_ASIDE = 100
"""Thumbnails and masks that are passed over: a chain of them costs time and next to no bytes."""
_IMAGEJ_STACK = re.compile(r"ImageJ=.*?^images=(\d+)", re.S | re.M)
BROKEN = (
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
"""What Pillow lets through on damaged files. The first four came out of 425,000 files of all formats with bytes cut,
flipped and copied; the others are what a parser in Python may raise beside them."""


class Unsupported(ValueError):  # noqa: N818
    """A sound TIFF that is no single picture of one, three or four channels."""


def tags_of(image: Image.Image) -> Mapping[int, Any]:
    """The tags of a TIFF's current page; none for other formats."""
    return image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def choose_page(image: Image.Image, page: int) -> None:
    """Turns a TIFF to its only page, or to page `page` (from 1) of its stack; thumbnails, pyramids and masks are none.

    Raises Unsupported for a stack where `page` is 0, and for a page that it does not have.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    if not getattr(image, "is_animated", False):
        _check_imagej(image, page)
        return
    found = list(islice(_pages(image, max(page, 2) + MAX_ASIDE), max(page, 2)))
    if not page and len(found) > 1:
        raise Unsupported(
            "it is a stack of several pages; save each page as a file of its own, or choose one for all images of the"
            " data set by --page at training"
        )
    if len(found) > 1 and page > len(found):
        raise Unsupported(f"page {page} was asked for, but its stack has {len(found)}")
    image.seek(found[page - 1 if len(found) > 1 else 0] if found else 0)


def _pages(image: TiffImagePlugin.TiffImageFile, limit: int) -> Iterator[int]:
    """Those of the first `limit` frames that are pictures of their own."""
    for frame in range(limit):
        try:
            image.seek(frame)
        except EOFError:
            return
        except BROKEN:
            pass  # a page that cannot be read is one nevertheless
        if WIDTH not in image.tag_v2:
            return
        subfile = image.tag_v2.get(SUBFILE, 0)
        if not (isinstance(subfile, int) and subfile & _SMALL_OR_MASK):
            yield frame


def _check_imagej(image: TiffImagePlugin.TiffImageFile, page: int) -> None:
    """ImageJ writes a large stack as one page and names the others in its description alone."""
    described = _IMAGEJ_STACK.match(str(image.tag_v2.get(DESCRIPTION, "")))
    if described and int(described[1]) > 1 and page != 1:
        raise Unsupported(
            f"it is an ImageJ stack of {described[1]} pages, of which only the first can be read; save each page as a"
            " file of its own"
        )


def check_channels(tags: Mapping[int, Any]) -> None:
    """Raises Unsupported for a page whose channels are not grey, a palette, RGB or CMYK with or without transparency.

    Pillow leaves out what lies beyond them, and of planes all but the first, without a word.
    """
    channels = _number(tags.get(CHANNELS), 1)
    bits = _number(tags.get(BITS_PER_SAMPLE), 1)
    photometric = tags.get(PHOTOMETRIC)
    colours = _COLOURS.get(_number(photometric, 1), 1)
    extra = tags.get(EXTRA, ())
    beyond = channels - colours
    # The fourth of RGB may be padding, or transparency by programs that do not say so.
    is_plain = beyond <= 0 or (beyond == 1 and (photometric == _RGB or any(kind != _UNSPECIFIED for kind in extra)))
    if channels > 4 or not is_plain:
        raise Unsupported(
            f"it has {channels} channels, which are not read; save it as RGB or grey, with or without transparency"
        )
    if channels == 1 or tags.get(PLANES) != _PLANE_BY_PLANE:
        return
    if len(_all(tags.get(STRIPS) or tags.get(TILES))) < channels:
        raise Unsupported(f"its {channels} channels should lie plane by plane, but it names fewer planes; save it anew")
    if bits == 16:
        raise Unsupported("its 16-bit channels lie plane by plane; save it with the channels of a pixel together")


def explain_tiff(data: bytes) -> str | None:
    """What a TIFF holds that cannot be read; None for bytes that are no TIFF, or whose tags are damaged."""
    file = BytesIO(data)
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        check_channels(tags)
        channels, bits = _number(tags.get(CHANNELS), 1), _number(tags[BITS_PER_SAMPLE], 1)
        kind = _FORMATS.get(_number(tags.get(SAMPLE_FORMAT), 1), " other")
    except Unsupported as error:
        return str(error)
    except BROKEN:
        return None
    return (
        f"a TIFF of {channels} channel(s) of {bits}{kind} bits in this arrangement is not read; save it as RGB or grey"
        " of 8 or 16 bits"
    )


def _all(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _number(value: Any, default: int) -> int:
    first = value[0] if isinstance(value, tuple) and value else value
    return first if isinstance(first, int) else default
