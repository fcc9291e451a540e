"""Pictures of more than 8 bits a channel: which of their values become black and white.

A camera of 10, 12 or 14 bits writes into 16 and seldom says so, and values of 32 bits and floats have no range of their
own. One range for each kind of picture is therefore measured over a whole data set, kept with the run and carried by
the model file, so that two pictures stay as bright against each other as the camera took them, in training and service.
"""

import sys
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image

from data.images.tiff import BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT, tags_of

OUTER_PIXELS = 0.1
"""Per cent of a picture's pixels that may lie below, and above, its range: hot and dead ones."""
OUTER_IMAGES = 1.0
"""Per cent of the pictures whose range may reach out below, and above, that of the data set."""
DARK = 16
"""A picture that stays below this fraction of the range is almost black."""
FULL_BITS = {"12-bit grey": 12, "16-bit grey": 16, "16-bit colour": 16}
"""Kinds that have a full range, taken where none was measured: all values that their bits can hold."""
_WHITE_IS_ZERO, _UNSIGNED, _SIGNED = 0, 1, 2
_PREMULTIPLIED = "a;"


class Reading(NamedTuple):
    """How files become 8-bit pictures; measured by training, kept with the run, the same in its exported model."""

    ranges: Mapping[str, tuple[float, float]] | None = None
    """Kind -> the values that become 0 and 255. None where they were never measured: 16 bits by their full range, other
    deep pictures each by its own."""
    page: int = 0
    """Page of a TIFF stack, from 1; 0 takes no stack."""

    def to_json(self) -> dict[str, object]:
        """As JSON values, for the run's record and the model file."""
        return {"ranges": None if self.ranges is None else dict(self.ranges), "page": self.page}


UNMEASURED = Reading()
"""That of runs and models from before ranges were measured."""


def parse_reading(value: object) -> Reading:
    """The reading out of `to_json`'s values; raises ValueError for anything else."""
    if not isinstance(value, dict) or set(value) != {"ranges", "page"}:
        raise ValueError("a reading has ranges and page")
    ranges, page = value["ranges"], value["page"]
    if isinstance(page, bool) or not isinstance(page, int) or page < 0:
        raise ValueError(f"page must be a whole number from 0, it is {page!r:.40}")
    if ranges is None:
        return Reading(None, page)
    if not isinstance(ranges, dict):
        raise ValueError("ranges must be an object")
    try:
        pairs = {str(kind): (float(low), float(high)) for kind, (low, high) in ranges.items()}
    except TypeError as error:
        raise ValueError("a range must be two numbers") from error
    for kind, (low, high) in pairs.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(f"the range of {kind:.40} must rise from a number to a number")
    return Reading(pairs, page)


class Deep(NamedTuple):
    """A deep picture as its file has it."""

    kind: str
    values: np.ndarray
    """(H, W) or (H, W, 3)."""
    alpha: np.ndarray | None
    """(H, W) uint8, where it has transparency."""


class NoRange(ValueError):  # noqa: N818
    """A deep picture of a kind that neither has a full range nor was measured."""


def kind_of(image: Image.Image) -> str | None:
    """The kind of a deep picture, told from its header; None where 8 bits hold it."""
    mode, raw, tags = image.mode, _raw_mode(image), tags_of(image)
    if mode.startswith("I;16"):
        return "12-bit grey" if raw == "I;12" else "16-bit grey"
    if raw == "LA;16B":
        return "16-bit grey"
    if mode in ("RGB", "RGBA") and ";16" in raw:
        return "16-bit colour"
    if mode == "F":
        return "float grey"
    signed = tags.get(SAMPLE_FORMAT, (_UNSIGNED,))[0] == _SIGNED
    if mode == "I":
        bits = tags.get(BITS_PER_SAMPLE, (32,))[0]
        return f"{bits}-bit signed grey" if signed else f"{bits}-bit grey"
    return "8-bit signed grey" if mode == "L" and signed else None


def read_grey(image: Image.Image, kind: str, legacy: bool) -> np.ndarray:
    """(H, W) values of a loaded grey picture, larger ones brighter; `legacy` leaves them as the file has them."""
    values = np.asarray(image)
    if legacy:
        return values
    if kind == "32-bit grey":
        values = values.view(np.uint32)  # Pillow takes them as signed
    elif kind == "8-bit signed grey":
        values = values.view(np.int8)
    if tags_of(image).get(PHOTOMETRIC) != _WHITE_IS_ZERO:
        return values
    if kind in FULL_BITS:
        return (2 ** FULL_BITS[kind] - 1) - values
    return -values.astype(np.float64)


def unpack_modes(image: Image.Image) -> tuple[tuple[str, str], ...]:
    """Modes and raw modes that give the high bytes, then the low bytes, of 16-bit channels; none for other pictures.

    Pillow keeps the high byte of 16-bit colour alone. Read as if the file had the other byte order, the high byte is
    the low one. Grey with transparency has no such raw mode, but is as wide as RGBA of 8 bits: all four bytes at once.
    """
    raw = _raw_mode(image)
    if raw == "LA;16B":
        return (("RGBA", "RGBA"),)
    if image.mode not in ("RGB", "RGBA") or ";16" not in raw:
        return ()
    order = {"N": "L" if sys.byteorder == "little" else "B"}.get(raw[-1], raw[-1])
    other = {"L": "B", "B": "L"}[order]
    channels = raw[:-1].replace(_PREMULTIPLIED, "A;")
    return ((image.mode, channels + raw[-1]), (image.mode, channels + other))


def is_premultiplied(image: Image.Image) -> bool:
    """Whether the colours of a 16-bit picture are already weakened by its transparency."""
    return _PREMULTIPLIED in _raw_mode(image)


def join_bytes(parts: list[np.ndarray], premultiplied: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Values (H, W) or (H, W, 3) uint16 and alpha (H, W) uint8 or None, out of what `unpack_modes` gave."""
    if len(parts) == 1:
        wide = parts[0].astype(np.uint16)
        return wide[..., 0] << 8 | wide[..., 1], parts[0][..., 2]
    values = parts[0].astype(np.uint16) << 8 | parts[1]
    if values.shape[2] == 3:
        return values, None
    colours, alpha = values[..., :3], values[..., 3:]
    if premultiplied:
        colours = np.minimum(colours * (65535.0 / np.maximum(alpha, 1)), 65535).astype(np.uint16)
    return colours, parts[0][..., 3]


def spread_of(values: np.ndarray) -> tuple[float, float] | None:
    """Lowest and highest value of one picture, a few pixels and what is not finite aside; None where none is finite."""
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if not values.size:
        return None
    low = np.percentile(values, OUTER_PIXELS, method="lower")
    return float(low), float(np.percentile(values, 100 - OUTER_PIXELS, method="higher"))


def join_spreads(spreads: np.ndarray) -> tuple[float, float]:
    """The range of a data set out of (N, 2) lowest and highest values of its pictures, a few pictures aside."""
    low = float(np.percentile(spreads[:, 0], OUTER_IMAGES, method="lower"))
    high = float(np.percentile(spreads[:, 1], 100 - OUTER_IMAGES, method="higher"))
    return low, high if high > low else low + 1.0


def to_8_bit(deep: Deep, ranges: Mapping[str, tuple[float, float]] | None) -> np.ndarray:
    """The values as uint8 by the range of their kind; raises NoRange where they have none."""
    kind, values, _ = deep
    if ranges is not None and kind in ranges:
        return _stretch(values, *ranges[kind])
    if kind in FULL_BITS:
        bits = 16 if ranges is None else FULL_BITS[kind]
        return (values >> (bits - 8)).astype(np.uint8)
    if ranges is not None:
        raise NoRange(kind)
    # Old models saw 8-bit signed values as they lay in memory, and any other deep picture by its own range.
    if kind == "8-bit signed grey":
        return values
    finite = np.where(np.isfinite(values), values, 0)
    return _stretch(finite, float(finite.min()), float(finite.max()))


def _stretch(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        table = _stretch(np.arange(65536, dtype=np.float64), low, high)
        return table[values]  # 50 megapixels as floats would take 400 MB
    scale = 255.0 / (high - low) if high > low else 0.0
    inside = np.clip(np.nan_to_num(values.astype(np.float64), nan=low), low, high)
    return np.rint((inside - low) * scale).astype(np.uint8)


def _raw_mode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    if not tile:
        return ""
    arguments = tile[0].args
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)
