"""The decoder: every ordinary file becomes an upright RGB array, every other one a BadImage."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data.images.decoding import FORMATS, BadImage, decode, looks_like_image, resize
from tests.serving.running import make_images

# Pillow warns of odd metadata; outside the tests that is no error.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


PICTURE = Image.fromarray(make_images(1, 32)[0])


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_picture(kind: str) -> None:
    found = decode(encode(PICTURE, kind), "a")
    assert found.shape == (32, 32, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - np.asarray(PICTURE)).mean() < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_gives_three_channels(mode: str) -> None:
    image = PICTURE.convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    assert decode(encode(image, kind), "a").shape == (32, 32, 3)


NOT_READ = {
    "JPEG 2000": encode(PICTURE, "JPEG2000"),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 60,
    "JPEG XL": b"\xff\x0a" + b"\0" * 60,
    "Photoshop": b"8BPS\0\1" + b"\0" * 60,
    "DICOM": b"\0" * 128 + b"DICM" + b"\0" * 60,
    "FITS": b"SIMPLE  =                    T",
}


@pytest.mark.parametrize("kind", NOT_READ)
def test_a_format_that_is_not_read_is_named_with_the_remedy(kind: str) -> None:
    with pytest.raises(BadImage, match=f"^a: {kind} is not read; save it as PNG") as caught:
        decode(NOT_READ[kind], "a")
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_is_known_by_its_first_bytes(kind: str) -> None:
    assert looks_like_image(encode(PICTURE, kind)[:64])
    assert not any(looks_like_image(data[:64]) for data in NOT_READ.values())
    assert not looks_like_image(b"BMP files of the second cruise")
    assert not looks_like_image(b"")


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    for kind in ("PNG", "TIFF"):
        found = decode(encode(Image.fromarray(ramp), kind), "a")
        assert np.array_equal(found[..., 0], ramp >> 8)


def test_float_grey_is_scaled_by_its_own_range() -> None:
    ramp = np.linspace(-3, 5, 64, dtype=np.float32).reshape(8, 8)
    found = decode(encode(Image.fromarray(ramp), "TIFF"), "a")
    assert (found.min(), found.max()) == (0, 255)


def test_transparency_lies_on_white() -> None:
    assert np.all(decode(encode(Image.new("RGBA", (4, 4), (200, 0, 0, 0)), "PNG"), "a") == 255)
    half = decode(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"), "a")
    assert np.all(np.abs(half.astype(int) - 127) <= 1)


def test_a_palette_s_transparent_colour_lies_on_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert np.all(decode(encode(image, "PNG", transparency=1), "a") == 255)


def test_an_image_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.asarray(PICTURE)[:16])
    found = decode(encode(turned, "PNG", exif=exif), "a")
    assert np.array_equal(found, np.rot90(np.asarray(turned), -1))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), (level,) * 3) for level in (40, 200)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.all(np.abs(decode(data, "a").astype(int) - 40) < 3)


def test_a_stream_is_read_as_bytes_are() -> None:
    data = encode(PICTURE, "PNG")
    assert np.array_equal(decode(io.BytesIO(data), "a"), decode(data, "a"))


def test_one_pixel_is_an_image() -> None:
    assert decode(encode(PICTURE.resize((1, 1)), "JPEG"), "a").shape == (1, 1, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no image at all", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (png_header(50_000, 50_000), "too_large"),
        (png_header(12_000, 12_000), "too_large"),
        (encode(PICTURE, "JPEG")[:-200], "damaged"),
    ],
)
def test_a_bad_image_has_a_reason_and_its_name(data: bytes, reason: str) -> None:
    with pytest.raises(BadImage, match=r"^scan 7\.png: ") as caught:
        decode(data, "scan 7.png")
    assert caught.value.reason == reason


def test_an_image_without_extent_is_refused() -> None:
    with pytest.raises(BadImage):
        decode(png_header(0, 0), "a")


def test_the_limit_holds_before_anything_is_decoded() -> None:
    data = encode(Image.new("RGB", (100, 100)), "PNG")
    assert decode(data, "a", max_pixels=10_000).shape == (100, 100, 3)
    with pytest.raises(BadImage, match="9,999 pixels, this has 100 x 100"):
        decode(data, "a", max_pixels=9_999)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_cut_anywhere_is_an_image_or_a_bad_image(kind: str) -> None:
    data = encode(PICTURE, kind)
    refused = 0
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            decode(data[:end], "a")
        except BadImage:
            refused += 1
    assert refused > 40


@given(kind=st.sampled_from(FORMATS), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8))
@settings(max_examples=300, deadline=None)
def test_flipped_bytes_give_an_image_or_a_bad_image(kind: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(encode(PICTURE, kind))
    for place, change in flips:
        data[int(place * (len(data) - 1))] ^= change
    with contextlib.suppress(BadImage):
        decode(bytes(data), "a", max_pixels=1_000_000)


def test_resize_gives_a_square_of_the_mean_colour() -> None:
    stripes = np.zeros((64, 32, 3), np.uint8)
    stripes[::2] = 255
    assert np.all(np.abs(resize(stripes, 8).astype(int) - 127) < 6)
    same = make_images(1)[0]
    assert resize(same, len(same)) is same
