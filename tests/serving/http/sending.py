"""Images as a client sends them, and what a refusal must say."""

from typing import Any

import httpx
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.running import make_images

PICTURE = Image.fromarray(make_images(1, 64)[0])
GOOD = encode(PICTURE, "PNG")
CUT = GOOD[: len(GOOD) * 3 // 4]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def post(client: httpx.Client, data: bytes, name: str = "a.png", kind: str = "image/png") -> httpx.Response:
    """One image as a browser or curl sends it."""
    return client.post("/predict", files={"image": (name, data, kind)})


def check(response: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The refusal's error entry: that of the request, or that of its only image."""
    assert response.status_code == status, response.text
    document = response.json()
    error = document["error"] or document["answers"][0]["error"]
    assert (error["status"], error["reason"]) == (status, reason)
    assert error["message"]
    return dict(error)
