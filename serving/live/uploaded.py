"""An image as a client sent it."""

from typing import NamedTuple

from data.images.decoding import BadImage


class Upload(NamedTuple):
    """One image as it came: its bytes, or what was wrong with them."""

    name: str
    data: bytes | BadImage
