"""Image files that Pillow cannot write, put together byte by byte: TIFFs of any tags, PNGs of 16 bits a channel."""

import struct
import zlib

import numpy as np

Tags = dict[int, int | bytes | list[int]]
_LONG = (254, 273, 279)


def page(values: np.ndarray, photometric: int = 1, sample_format: int = 1, **more: int | bytes | list[int]) -> Tags:
    """Tags of an uncompressed page of (H, W) or (H, W, C) values; `more` are tags by number, as `t338=1`."""
    height, width = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    tags: Tags = {
        256: width,
        257: height,
        258: [values.dtype.itemsize * 8] * channels,
        259: 1,
        262: photometric,
        277: channels,
        278: height,
        284: 1,
        339: [sample_format] * channels,
    }
    return tags | {int(name[1:]): value for name, value in more.items()}


def tiff(*pages: tuple[Tags, list[bytes]], order: str = "<") -> bytes:
    """A TIFF of pages, each tags and strips; `order` is '<' or '>', as in struct."""
    out = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 0))
    link = 4
    for tags, strips in pages:
        places = []
        for strip in strips:
            places.append(len(out))
            out += strip + b"\0" * (len(strip) % 2)
        tags = tags | {273: places, 279: [len(strip) for strip in strips]}
        struct.pack_into(order + "I", out, link, len(out))
        beyond = len(out) + 2 + 12 * len(tags) + 4
        entries, outside = bytearray(), bytearray()
        for tag, value in sorted(tags.items()):
            kind, count, raw = _field(tag, value, order)
            if len(raw) > 4:
                place = beyond + len(outside)
                outside += raw + b"\0" * (len(raw) % 2)
                raw = struct.pack(order + "I", place)
            entries += struct.pack(order + "HHI", tag, kind, count) + raw.ljust(4, b"\0")
        out += struct.pack(order + "H", len(tags)) + entries
        link = len(out)
        out += b"\0\0\0\0" + outside
    return bytes(out)


def _field(tag: int, value: int | bytes | list[int], order: str) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return 2, len(value) + 1, value + b"\0"
    numbers = value if isinstance(value, list) else [value]
    kind, letter = (4, "I") if tag in _LONG else (3, "H")
    return kind, len(numbers), struct.pack(f"{order}{len(numbers)}{letter}", *numbers)


def grey_tiff(values: np.ndarray, order: str = "<", **more: int | bytes | list[int]) -> bytes:
    """A TIFF of one page of (H, W) values in their own type."""
    return tiff(one(values, order, **more), order=order)


def one(values: np.ndarray, order: str = "<", **more: int | bytes | list[int]) -> tuple[Tags, list[bytes]]:
    """A page for `tiff`: RGB for three or four channels, else grey."""
    photometric = 2 if values.ndim == 3 and values.shape[2] in (3, 4) else 1
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = page(values, photometric, kind, **more)
    return tags, [values.astype(values.dtype.newbyteorder(order)).tobytes()]


def png_16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits of (H, W) or (H, W, 2, 3 or 4) values: grey, grey with alpha, RGB, RGBA."""
    height, width = values.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2] if values.ndim == 3 else 1]
    rows = values.reshape(height, -1).astype(">u2")
    content = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
