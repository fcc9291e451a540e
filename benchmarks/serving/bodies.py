"""The request bodies of the load generator, one folder for each way to pack an image."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.images.decoding import decode

BOUNDARY = "dc3benchmark"


class Packing(NamedTuple):
    """How a server wants an image."""

    content_type: str
    pack: Callable[[bytes], bytes]


def write_bodies(images: Sequence[bytes], folder: Path) -> None:
    """Writes `folder`/bodies/<packing>/<number> for every packing and JPEG image."""
    for name, packing in PACKINGS.items():
        place = folder / "bodies" / name
        place.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(images):
            (place / str(number)).write_bytes(packing.pack(image))


def read_images(folder: Path) -> list[bytes]:
    """The JPEG images among the bodies in `folder`."""
    place = folder / "bodies" / "raw"
    return [(place / str(number)).read_bytes() for number in range(len(list(place.iterdir())))]


def _form(field: str) -> Callable[[bytes], bytes]:
    def pack(image: bytes) -> bytes:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n'
        return (head + "Content-Type: image/jpeg\r\n\r\n").encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()

    return pack


def _to_mlflow(image: bytes) -> bytes:
    array: np.ndarray = decode(image, "body")
    return json.dumps({"inputs": {"images": array[None].tolist()}}, separators=(",", ":")).encode()


PACKINGS = {
    "raw": Packing("image/jpeg", bytes),
    "form_image": Packing(f"multipart/form-data; boundary={BOUNDARY}", _form("image")),
    "form_images": Packing(f"multipart/form-data; boundary={BOUNDARY}", _form("images")),
    "mlflow": Packing("application/json", _to_mlflow),
}
