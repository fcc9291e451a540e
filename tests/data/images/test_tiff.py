"""Pages of a TIFF and its channels: one picture, or a message that says what else it is."""

from pathlib import Path

import numpy as np
import pytest

from data.images.decoding import BadImage, decode
from data.images.deep import Reading
from tests.data.images.files import grey_tiff, one, page, tiff

CASES = Path(__file__).parents[4] / "shared" / "cases"
RANDOM = np.random.default_rng(1)
GREY, OTHER = RANDOM.integers(0, 256, (2, 6, 5), np.uint8)
COLOUR = RANDOM.integers(0, 256, (6, 5, 3), np.uint8)
FIVE = RANDOM.integers(0, 256, (6, 5, 5), np.uint8)
SMALL = GREY[:2, :2].copy()
IMAGEJ = b"ImageJ=1.53c\nimages=40\nslices=40\n"


def planes(values: np.ndarray, photometric: int, **more: int | list[int]) -> bytes:
    """A TIFF whose channels lie plane by plane."""
    tags = page(values, photometric, t284=2, **more)
    return tiff((tags, [np.ascontiguousarray(values[..., channel]).tobytes() for channel in range(values.shape[2])]))


def grey(data: bytes, number: int = 0) -> np.ndarray:
    return decode(data, "a.tif", reading=Reading({}, number))[..., 0]


def reason(data: bytes, number: int = 0) -> str:
    with pytest.raises(BadImage, match=r"^a\.tif: ") as caught:
        grey(data, number)
    assert caught.value.reason == "unsupported"
    return caught.value.message


def test_a_stack_is_refused_with_the_remedy() -> None:
    assert reason(tiff(one(GREY), one(OTHER))) == (
        "it is a stack of several pages; save each page as a file of its own, or choose one for all images of the data"
        " set by --page at training"
    )


def test_the_chosen_page_of_a_stack_is_read() -> None:
    stack = tiff(one(GREY), one(SMALL, t254=1), one(OTHER), one(GREY))
    assert np.array_equal(grey(stack, 1), GREY)
    assert np.array_equal(grey(stack, 2), OTHER)
    assert "page 9 was asked for, but its stack has 3" in reason(stack, 9)


def test_a_file_of_one_page_is_read_whatever_page_is_chosen() -> None:
    for number in (0, 1, 7):
        assert np.array_equal(grey(grey_tiff(GREY), number), GREY)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_thumbnails_and_masks_are_no_pages(number: int) -> None:
    for data in (
        tiff(one(GREY), one(SMALL, t254=1), one(GREY, t254=4)),
        tiff(one(SMALL, t254=1), one(GREY)),
    ):
        assert np.array_equal(grey(data, number), GREY)


def test_an_imagej_stack_of_one_page_is_seen_by_its_description() -> None:
    data = grey_tiff(GREY, t270=IMAGEJ)
    assert "an ImageJ stack of 40 pages, of which only the first can be read" in reason(data)
    assert reason(data, 2) == reason(data)
    assert np.array_equal(grey(data, 1), GREY)
    assert np.array_equal(grey(grey_tiff(GREY, t270=b"ImageJ=1.53c\nimages=1\n")), GREY)


def test_a_chain_of_thumbnails_has_an_end() -> None:
    assert grey(tiff(*[one(SMALL, t254=1)] * 300)).shape == (2, 2)


FIVE_CHANNELS = {
    "interleaved": grey_tiff(FIVE, t262=2),
    "with named extra channels": grey_tiff(FIVE, t262=2, t338=[0, 0]),
    "grey and four more": grey_tiff(FIVE, t338=[0, 0, 0, 0]),
    "planes": planes(FIVE, 2, t338=[0, 0]),
    "grey planes": planes(FIVE, 1, t338=[0, 0, 0, 0]),
    "16 bits": grey_tiff(FIVE.astype(np.uint16), t262=2),
}


@pytest.mark.parametrize("case", FIVE_CHANNELS)
def test_five_channels_are_named_with_the_remedy(case: str) -> None:
    message = "it has 5 channels, which are not read; save it as RGB or grey, with or without transparency"
    assert reason(FIVE_CHANNELS[case]) == message


def test_five_channels_of_the_case() -> None:
    path = CASES / "06-tiff-5-channels" / "images" / "0000.tif"
    if not path.exists():
        pytest.skip("the shared cases are not here")
    assert "it has 5 channels" in reason(path.read_bytes())


def test_a_second_channel_that_is_no_transparency_is_not_dropped() -> None:
    two = np.dstack([GREY, OTHER])
    for data in (grey_tiff(two), grey_tiff(two, t338=0), planes(two, 1, t338=0)):
        assert "it has 2 channels" in reason(data)


def test_transparency_beside_grey_is_laid_on_white() -> None:
    for kind in (1, 2):
        opaque = np.dstack([GREY, np.full_like(GREY, 255)])
        assert np.array_equal(grey(grey_tiff(opaque, t338=kind)), GREY)
        assert np.all(grey(grey_tiff(np.dstack([GREY * 0, GREY * 0]), t338=kind)) == 255)


@pytest.mark.parametrize("order", "<>")
def test_ordinary_arrangements_give_their_values(order: str) -> None:
    def read(data: bytes) -> np.ndarray:
        return decode(data, "a", reading=Reading({}))

    assert np.array_equal(read(grey_tiff(COLOUR, order)), COLOUR)
    assert np.array_equal(read(grey_tiff(np.dstack([COLOUR, GREY]), order, t338=0)), COLOUR)
    assert np.array_equal(read(planes(COLOUR, 2)), COLOUR)
    assert np.array_equal(read(grey_tiff(255 - GREY, order, t262=0))[..., 0], GREY)
    ink = np.dstack([255 - COLOUR, GREY * 0])
    assert np.array_equal(read(grey_tiff(ink, order, t262=5)), COLOUR)
    colours = [[*COLOUR[:, :, channel].ravel().tolist(), *[0] * 226] for channel in range(3)]
    palette = [value * 257 for channel in colours for value in channel]
    indices = np.arange(30, dtype=np.uint8).reshape(6, 5)
    assert np.array_equal(read(grey_tiff(indices, order, t262=3, t320=palette)), COLOUR)
    bits = np.packbits(GREY > 127, axis=1)
    tags = page(GREY) | {258: 1}
    assert np.array_equal(read(tiff((tags, [bits.tobytes()]), order=order))[..., 0], np.where(GREY > 127, 255, 0))


def test_planes_that_are_not_there_are_not_taken_as_black() -> None:
    tags, strips = one(COLOUR)
    assert "names fewer planes" in reason(tiff((tags | {284: 2}, strips)))


def test_what_pillow_cannot_read_is_told_by_its_tags() -> None:
    assert reason(grey_tiff(GREY.astype(np.float64))).startswith("a TIFF of 1 channel(s) of 64 float bits")
    assert reason(grey_tiff(COLOUR.astype(np.float32))).startswith("a TIFF of 3 channel(s) of 32 float bits")
    assert "plane by plane" in reason(planes(COLOUR.astype(np.uint16), 2))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of odd metadata
def test_a_tiff_cut_in_its_header_is_no_image() -> None:
    for start in (b"II\x2a\x00", b"MM\x00\x2a"):
        for length in range(4, 30):
            with pytest.raises(BadImage) as caught:
                decode((start + b"\x08\0\0\0" + bytes(30))[:length], "a.tif")
            assert caught.value.reason in ("not_an_image", "unsupported", "damaged")
