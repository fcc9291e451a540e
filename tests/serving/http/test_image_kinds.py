"""Every kind of image is answered: with scores, or with what is wrong with it."""

import time

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.data.images.files import grey_tiff, one, png_16, tiff
from tests.data.images.test_decoding import encode, png_header
from tests.serving.http.sending import CUT, GOOD, PICTURE, SVG, check, post
from tests.serving.running import CARD

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_answers", "nothing_in_the_log")]
EXIF = Image.Exif()
EXIF[0x0112] = 6
UNREADABLE = {
    "empty": (b"", 400, "empty"),
    "text": (b"hello", 415, "not_an_image"),
    "svg": (SVG, 415, "not_an_image"),
    "no pixels": (png_header(0, 0), 415, "not_an_image"),
    "50,000 x 50,000 header": (png_header(50_000, 50_000), 413, "too_large"),
    "cut off": (CUT, 422, "damaged"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_image_is_a_4xx_that_names_it(client: httpx.Client, case: str) -> None:
    data, status, reason = UNREADABLE[case]
    response = post(client, data, f"{case}.png")
    assert f"{case}.png" in check(response, status, reason)["message"]
    entry = response.json()["answers"][0]
    assert entry["name"] == f"{case}.png"
    assert entry["class"] is entry["decision"] is entry["ambiguity"] is None


DEEP = (np.asarray(PICTURE.convert("L")) / 255 * 4095).round().astype(np.uint16)
UNSUPPORTED = {
    "stack.tif": (tiff(one(DEEP), one(DEEP)), "a stack of several pages"),
    "five channels.tif": (grey_tiff(np.zeros((8, 8, 5), np.uint8), t262=2), "it has 5 channels"),
    "depth.tif": (grey_tiff(DEEP.astype(np.float32)), "float grey values, which the images that the model learnt from"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 60, "HEIC is not read; save it as PNG"),
    "scan.jp2": (encode(PICTURE, "JPEG2000"), "JPEG 2000 is not read; save it as PNG"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_sound_file_that_is_not_read_is_told_why(client: httpx.Client, name: str) -> None:
    data, text = UNSUPPORTED[name]
    message = check(post(client, data, name), 415, "unsupported")["message"]
    assert message.startswith(f"{name}: ")
    assert text in message


def test_12_bits_get_the_answer_of_the_same_picture_in_8(client: httpx.Client) -> None:
    plain = encode(PICTURE.convert("L"), "PNG")
    answers = [post(client, data).json()["answers"][0] for data in (plain, png_16(DEEP), grey_tiff(DEEP, ">"))]
    assert answers[0] == answers[1] == answers[2]


READABLE = {
    "1 x 1": encode(PICTURE.resize((1, 1)), "PNG"),
    "animated GIF": encode(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(90)]),
    "16 bit": encode(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64)), "PNG"),
    "CMYK": encode(PICTURE.convert("CMYK"), "JPEG"),
    "RGBA": encode(PICTURE.convert("RGBA"), "PNG"),
    "palette": encode(PICTURE.convert("P"), "PNG"),
    "grey": encode(PICTURE.convert("L"), "JPEG"),
    "WebP": encode(PICTURE, "WEBP"),
    "TIFF": encode(PICTURE, "TIFF"),
    "BMP": encode(PICTURE, "BMP"),
    "AVIF": encode(PICTURE, "AVIF"),
    "EXIF turned": encode(PICTURE, "JPEG", exif=EXIF),
    "JPEG named .png": encode(PICTURE, "JPEG"),
}


@pytest.mark.parametrize("case", READABLE)
def test_every_ordinary_image_gets_an_answer(client: httpx.Client, case: str) -> None:
    response = post(client, READABLE[case], "a.png")
    assert response.status_code == 200, response.text
    (entry,) = response.json()["answers"]
    assert entry["error"] is None
    assert list(entry["class_probabilities"]) == list(CARD.classes)
    assert sum(entry["class_probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert entry["class_probability"] == max(entry["class_probabilities"].values())
    assert entry["cluster_caption"] == CARD.captions[entry["cluster"]]
    assert entry["decision"] == ("class" if entry["ambiguity"] < 0.5 else "cluster")


def test_an_image_is_turned_upright_before_it_is_scored(client: httpx.Client) -> None:
    upright = encode(PICTURE.rotate(-90), "PNG")
    turned = encode(PICTURE, "PNG", exif=EXIF)
    answers = [post(client, data).json()["answers"][0] for data in (upright, turned, GOOD)]
    assert answers[0] == answers[1] != answers[2]


def test_a_large_real_image_is_refused_by_its_header(client: httpx.Client) -> None:
    data = encode(Image.new("1", (12_000, 12_000)), "PNG")
    start = time.perf_counter()
    check(post(client, data), 413, "too_large")
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_cut_at_every_tenth_byte_never_is_a_5xx(client: httpx.Client, kind: str) -> None:
    data = encode(PICTURE, kind)
    ends = range(0, len(data), 10)
    files = [("image", (f"{end}", data[:end])) for end in ends]
    for first in range(0, len(files), 200):
        response = client.post("/predict", files=files[first : first + 200])
        assert response.status_code < 500
        for entry in response.json()["answers"]:
            assert entry["error"] is None or entry["error"]["status"] in (400, 415, 422)
    for end in list(ends)[:: max(1, len(ends) // 12)]:
        assert post(client, data[:end]).status_code in (200, 400, 415, 422)
