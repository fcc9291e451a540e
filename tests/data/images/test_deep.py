"""Pictures of more than 8 bits a channel: every arrangement gives its values, and one range makes them 8 bits."""

import zlib

import numpy as np
import pytest
from PIL import Image

from data.images.decoding import BadImage, decode, measure
from data.images.deep import DARK, UNMEASURED, Reading, join_spreads, parse_reading, spread_of
from tests.data.images.files import grey_tiff, one, page, png_16, tiff
from tests.data.images.test_decoding import encode

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (6, 5), np.uint8)
COLOUR = RANDOM.integers(0, 256, (6, 5, 3), np.uint8)
OPAQUE = np.full((6, 5), 65535, np.uint16)
# 12 bits in 16, as cameras write them, with a black level; the range gives the 8-bit values back
LOW, HIGH = 100, 100 + 255 * 15
GREY_12, COLOUR_12 = GREY.astype(np.uint16) * 15 + LOW, COLOUR.astype(np.uint16) * 15 + LOW
KNOWN = Reading({"16-bit grey": (LOW, HIGH), "16-bit colour": (LOW, HIGH)})


def compressed(values: np.ndarray, order: str) -> bytes:
    tags, strips = one(values, order)
    return tiff((tags | {259: 8}, [zlib.compress(strips[0])]), order=order)


def with_alpha(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.dstack([values, alpha])


WEAKENED = (COLOUR_12.astype(np.uint32) * 0x8080 // 65535).astype(np.uint16)
DEEP = {
    "PNG": (png_16(GREY_12), GREY),
    "PNG with alpha": (png_16(with_alpha(GREY_12, OPAQUE)), GREY),
    "PNG in colour": (png_16(COLOUR_12), COLOUR),
    "PNG in colour with alpha": (png_16(with_alpha(COLOUR_12, OPAQUE)), COLOUR),
    "TIFF of Pillow": (encode(Image.fromarray(GREY_12), "TIFF"), GREY),
    "TIFF of Pillow, LZW": (encode(Image.fromarray(GREY_12), "TIFF", compression="tiff_lzw"), GREY),
    "TIFF, white is zero": (grey_tiff(65535 - GREY_12, t262=0), GREY),
    **{
        f"TIFF {name} {order}": (data, expected)
        for order in "<>"
        for name, data, expected in (
            ("grey", grey_tiff(GREY_12, order), GREY),
            ("grey compressed", compressed(GREY_12, order), GREY),
            ("colour", grey_tiff(COLOUR_12, order), COLOUR),
            ("colour compressed", compressed(COLOUR_12, order), COLOUR),
            ("colour and padding", grey_tiff(with_alpha(COLOUR_12, OPAQUE), order, t338=0), COLOUR),
            ("colour and alpha", grey_tiff(with_alpha(COLOUR_12, OPAQUE), order, t338=2), COLOUR),
            ("colour and alpha in it", grey_tiff(with_alpha(COLOUR_12, OPAQUE), order, t338=1), COLOUR),
        )
    },
}


@pytest.mark.parametrize("case", DEEP)
def test_12_bits_in_16_look_as_8_bits_do(case: str) -> None:
    data, expected = DEEP[case]
    found = decode(data, "a", reading=KNOWN)
    assert np.array_equal(found, expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, 2))
    kind, low, high = measure(data, "a") or ("", 0.0, 0.0)
    values = GREY_12 if expected.ndim == 2 else COLOUR_12
    assert (kind in (KNOWN.ranges or {}), low, high) == (True, values.min(), values.max())


OTHERS = {
    "16-bit signed grey": GREY.astype(np.int16) * 9 - 1000,
    "32-bit signed grey": GREY.astype(np.int32) * 99_999 - 10_000_000,
    "float grey": GREY.astype(np.float32) / 128 - 1,
    "8-bit signed grey": (GREY.astype(np.int16) - 128).astype(np.int8),
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_of_number_takes_the_data_set_s_range(kind: str, order: str) -> None:
    values = OTHERS[kind]
    data = grey_tiff(values, order)
    assert measure(data, "a") == (kind, values.min(), values.max())
    low, high = (float(values[level == GREY][0]) for level in (GREY.min(), GREY.max()))
    step = (high - low) / (int(GREY.max()) - int(GREY.min()))
    reading = Reading({kind: (low - step * int(GREY.min()), high + step * (255 - int(GREY.max())))})
    assert np.array_equal(decode(data, "a", reading=reading)[..., 0], GREY)


def test_unsigned_32_bits_are_not_taken_as_signed() -> None:
    data = grey_tiff(GREY.astype(np.uint32) << 24)
    found = decode(data, "a", reading=Reading({"32-bit grey": (0, 255 * 2.0**24)}))
    assert np.array_equal(found[..., 0], GREY)


def test_packed_12_bits_are_a_kind_of_their_own_with_a_full_range() -> None:
    pairs = np.repeat(GREY, 2, 1).astype(int) << 4
    bits = ["".join(f"{value:012b}" for value in row) for row in pairs]
    rows = b"".join(bytes(int(row[start : start + 8], 2) for start in range(0, len(row), 8)) for row in bits)
    data = tiff((page(pairs.astype(np.uint16)) | {258: 12}, [rows]))
    assert measure(data, "a") == ("12-bit grey", pairs.min(), pairs.max())
    assert np.array_equal(decode(data, "a", reading=Reading({}))[..., 0], pairs >> 4)


def test_transparent_16_bits_lie_on_white() -> None:
    clear = png_16(with_alpha(COLOUR_12, OPAQUE * 0))
    assert np.all(decode(clear, "a", reading=KNOWN) == 255)
    half = np.full_like(OPAQUE, 0x8080)
    straight = decode(grey_tiff(with_alpha(COLOUR_12, half), t338=2), "a", reading=KNOWN)
    weakened = decode(grey_tiff(with_alpha(WEAKENED, half), t338=1), "a", reading=KNOWN)
    assert np.abs(straight.astype(int) - (COLOUR.astype(int) + 255) // 2).max() <= 1
    assert np.abs(straight.astype(int) - weakened).max() <= 1


def test_16_bits_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for data in (encode(Image.fromarray(GREY_12), "PNG", exif=exif), grey_tiff(GREY_12, t274=6)):
        assert np.array_equal(decode(data, "a", reading=KNOWN)[..., 0], np.rot90(GREY, -1))
    assert np.array_equal(decode(grey_tiff(COLOUR_12, t274=6), "a", reading=KNOWN), np.rot90(COLOUR, -1))


def test_a_brighter_picture_stays_brighter() -> None:
    dark, bright = (decode(grey_tiff(values), "a", reading=KNOWN) for values in (GREY_12 // 2, GREY_12))
    assert 1.5 < bright.mean() / dark.mean() < 2.5


def test_without_a_range_16_bits_have_their_full_one_and_others_none() -> None:
    for reading in (UNMEASURED, Reading({})):
        assert np.array_equal(decode(grey_tiff(GREY_12), "a", reading=reading)[..., 0], GREY_12 >> 8)
        assert np.array_equal(decode(png_16(COLOUR_12), "a", reading=reading), COLOUR_12 >> 8)
    data = grey_tiff(GREY.astype(np.float32))
    with pytest.raises(BadImage, match=r"^b\.tif: it has float grey values, which the images that the model learnt"):
        decode(data, "b.tif", reading=Reading({}))


def test_models_from_before_ranges_see_what_they_saw() -> None:
    values = np.linspace(-3, 5, 64, dtype=np.float32).reshape(8, 8)
    found = decode(grey_tiff(values, t262=0), "a")
    assert (found[0, 0, 0], found[-1, -1, 0]) == (0, 255)
    assert np.array_equal(decode(grey_tiff(GREY_12, t262=0), "a")[..., 0], GREY_12 >> 8)
    assert np.array_equal(decode(grey_tiff(OTHERS["8-bit signed grey"]), "a")[..., 0], GREY ^ 0x80)


def test_a_few_hot_pixels_and_pictures_do_not_stretch_the_range() -> None:
    values = RANDOM.integers(500, 3000, (100, 100)).astype(np.uint16)
    values[0, :5], values[1, :5] = 65535, 0
    low, high = spread_of(values) or (0.0, 0.0)
    assert 500 <= low < 520
    assert 2980 < high < 3000
    spreads = np.array([[500.0, 3000.0]] * 250 + [[0.0, 65535.0]] * 2)
    assert join_spreads(spreads) == (500, 3000)
    assert join_spreads(np.array([[7.0, 7.0]])) == (7, 8)


def test_what_is_not_finite_is_not_measured() -> None:
    values = np.array([[0, 1, np.nan, np.inf, -np.inf, 2]], np.float32)
    data = grey_tiff(values)
    assert measure(data, "a") == ("float grey", 0, 2)
    found = decode(data, "a", reading=Reading({"float grey": (0.0, 2.0)}))[0, :, 0]
    assert found.tolist() == [0, 128, 0, 255, 0, 255]
    assert measure(grey_tiff(np.full((2, 2), np.nan, np.float32)), "a") is None


def test_8_bits_are_not_measured() -> None:
    assert measure(encode(Image.fromarray(GREY), "PNG"), "a") is None
    assert DARK > 1


def test_a_reading_goes_through_json_unchanged() -> None:
    for reading in (UNMEASURED, KNOWN, Reading({}, 3)):
        assert parse_reading(reading.to_json()) == reading


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "has ranges and page"),
        ({"ranges": {}, "page": -1}, "page must be"),
        ({"ranges": {}, "page": True}, "page must be"),
        ({"ranges": [], "page": 0}, "must be an object"),
        ({"ranges": {"float grey": 1}, "page": 0}, "two numbers"),
        ({"ranges": {"float grey": [2, 1]}, "page": 0}, "must rise"),
        ({"ranges": {"float grey": [0, float("nan")]}, "page": 0}, "must rise"),
    ],
)
def test_another_value_is_no_reading(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_reading(value)
