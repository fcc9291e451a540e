"""Images in the folder are what the network saw, in formats that every browser shows."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images.decoding import decode
from data.images.deep import Reading
from data.sources.digits import Digits
from relabel.propose.image_files import name_file, write_images
from tests.data.images.files import png_16


class Files:
    """Files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def content(self, name: str) -> bytes:
        return self.files[name]

    def read(self, name: str) -> np.ndarray:
        return decode(self.files[name], name, reading=Reading({"16-bit grey": (0.0, 3600.0)}))


def encode(kind: str, mode: str = "RGB", **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode("JPEG", exif=exif)


@pytest.fixture
def files() -> Files:
    return Files(
        {
            "a.jpg": encode("JPEG"),
            "b.png": encode("PNG"),
            "c.webp": encode("WEBP"),
            "d.gif": encode("GIF"),
            "e.tif": encode("TIFF"),
            "f.bmp": encode("BMP"),
            "turned.jpg": turned(),
            "clear.png": encode("PNG", "RGBA"),
            "lies.jpg": encode("PNG"),
            "deep/g.tiff": encode("TIFF"),
            "h.png": png_16(np.arange(600, dtype=np.uint16).reshape(20, 30) * 6),
        }
    )


def test_each_file_shows_what_the_network_saw(files: Files, tmp_path: Path) -> None:
    found = write_images(files, list(files.files), tmp_path, show_progress=False)
    for name, file in found.items():
        written = tmp_path / file
        with Image.open(written) as image:
            assert image.format in ("JPEG", "PNG", "WEBP", "GIF")
            assert Path(file).suffix[1:] == {"JPEG": "jpg"}.get(str(image.format), str(image.format).lower())
            assert image.getexif().get(0x0112, 1) == 1
            assert not image.has_transparency_data
        assert np.array_equal(decode(written.read_bytes(), name), files.read(name)), name


def test_a_dark_looking_16_bit_file_becomes_the_picture_that_the_network_saw(files: Files, tmp_path: Path) -> None:
    found = write_images(files, ["h.png"], tmp_path, show_progress=False)
    with Image.open(tmp_path / found["h.png"]) as image:
        assert image.mode == "RGB"
        assert np.asarray(image).max() > 250


def test_bytes_stay_where_a_browser_can_show_them(files: Files, tmp_path: Path) -> None:
    found = write_images(files, list(files.files), tmp_path, show_progress=False)
    same = {name for name, file in found.items() if (tmp_path / file).read_bytes() == files.content(name)}
    assert same == {"a.jpg", "b.png", "c.webp", "d.gif", "lies.jpg"}


def test_embedded_images_become_png(tmp_path: Path) -> None:
    source = Digits(n_blends=5)
    found = write_images(source, source.names()[:3], tmp_path, show_progress=False)
    assert list(found.values()) == ["digit_0000.png", "digit_0001.png", "digit_0002.png"]
    assert np.array_equal(decode((tmp_path / "digit_0001.png").read_bytes(), ""), source.read("digit_0001"))


def test_no_two_images_share_a_file_name() -> None:
    taken: set[str] = set()
    names = ["a/x.tif", "b/x.tif", "X.TIF", "x.tif.png", "x.png", "a/y-[1].png", "b/y.png"]
    files = [name_file(name, ".png", taken) for name in names]
    ids = [Path(file).name.removesuffix(".png").split("-[")[0].casefold() for file in files]
    assert len(set(ids)) == len(names)
    assert files[:2] == ["a/x.tif.png", "b/x.tif_1.png"]


@pytest.mark.parametrize("name", ["../../x.png", "/etc/x.png", "..\\x.png", "a/../../x.png"])
def test_names_from_a_hostile_zip_stay_in_the_folder(name: str, tmp_path: Path) -> None:
    assert (tmp_path / name_file(name, ".png", set())).resolve().is_relative_to(tmp_path.resolve())
