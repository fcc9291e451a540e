"""Which files are images: all that a lab has of them, none of other programs, and a word on each that is left out."""

import os
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.images.listing import Listing, list_images
from data.ingest import Dataset, ingest
from data.sources.folder import Folder

CASES = Path(__file__).parents[4] / "shared" / "cases"


def write(path: Path, level: int = 0, kind: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        Image.new("RGB", (4, 4), (level, 0, 0)).save(file, kind)


def listed(images: Path) -> Listing:
    if images.is_dir():
        return list_images(images, None)
    with zipfile.ZipFile(images) as archive:
        return list_images(images, archive)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of two images, one in a folder of its own."""
    write(tmp_path / "images" / "a.png", 10)
    write(tmp_path / "images" / "set1" / "b.png", 20)
    return tmp_path / "images"


FOREIGN = [
    "._a.png",
    "set1/._b.png",
    "set1/.ipynb_checkpoints/b-checkpoint.png",
    ".hidden.png",
    "set1/@eaDir/b.png/SYNOPHOTO_THUMB_M.jpg",
    "__MACOSX/set1/._b.png",
    "deep/er/.thumbnails/b.png",
    "$RECYCLE.BIN/a.png",
    "#recycle/a.png",
    "Network Trash Folder/a.png",
    ".thumbs/a.png",
    "set1/~$b.png",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_programs_are_no_images_at_any_depth(images: Path, name: str) -> None:
    write(images / name)
    expected = listed(images)
    assert list(expected.images) == ["a.png", "set1/b.png"]
    (notice,) = expected.notices
    assert notice.startswith(f"{images}: left out 1 file(s) and folder(s) that are hidden or of other programs: ")
    assert notice.split(": ")[-1] in name
    assert [text.split(": ", 1)[1] for text in listed(zipped(images)).notices] == [notice.split(": ", 1)[1]]


def zipped(images: Path) -> Path:
    with zipfile.ZipFile(images.with_suffix(".zip"), "w") as archive:
        for path in sorted(images.rglob("*")):
            archive.write(path, path.relative_to(images))
    return images.with_suffix(".zip")


def test_what_is_left_out_is_counted_and_named_once_for_each_reason(images: Path) -> None:
    for number in range(7):
        write(images / f"._{number}.png")
    (images / "votes.csv").write_text("image,label\n")
    (images / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    write(images / "a.png_original")
    (images / "gone.png").symlink_to(images / "nowhere.png")
    assert [notice.removeprefix(f"{images}: left out ") for notice in listed(images).notices] == [
        "7 file(s) and folder(s) that are hidden or of other programs: "
        "._0.png, ._1.png, ._2.png, ._3.png, ._4.png and 2 more",
        "2 file(s) that are no images or of formats that are not read: Thumbs.db, votes.csv",
        "1 file(s) that hold an image but are not named like one, rename those that belong to the data: a.png_original",
        "1 link(s) that lead nowhere, mend them where images are missing: gone.png",
    ]


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".jif", ".Jpeg"])
def test_every_suffix_of_jpeg_is_read(images: Path, suffix: str) -> None:
    write(images / f"c{suffix}", kind="JPEG")
    assert f"c{suffix}" in listed(images).images


@pytest.mark.parametrize("name", ["0001", "scan_2.5", "c.avif", "d.dib", "e.apng"])
def test_images_of_rarer_names_are_found(images: Path, name: str) -> None:
    write(images / name)
    found = listed(images)
    assert name in found.images
    assert found.notices == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_an_image_without_a_suffix_is_told_by_its_first_bytes(images: Path, kind: str) -> None:
    write(images / "0001", kind=kind)
    (images / "README").write_text("BMP files of the second cruise, GIF89 none")
    found = listed(images)
    assert list(found.images) == ["0001", "a.png", "set1/b.png"]
    assert "README" in found.notices[0]


def test_thumbnails_beside_their_images_are_left_out_and_other_images_in_such_a_folder_are_not(images: Path) -> None:
    write(images / "thumbs" / "A.jpg", kind="JPEG")
    write(images / "Thumbnails" / "b.png")
    write(images / "thumbs" / "alone.png")
    for folder in ("_thumbs", "thumb", "Thumbnail"):
        write(images / folder / "a.png")
    found = listed(images)
    assert list(found.images) == ["a.png", "set1/b.png", "thumbs/alone.png"]
    assert "5 thumbnail(s) of images that lie beside: Thumbnail/a.png, Thumbnails/b.png, _thumbs" in found.notices[0]


def test_a_copy_that_an_editor_keeps_is_left_out_beside_its_image_alone(images: Path) -> None:
    write(images / "a~.png")
    write(images / "c~.png")
    found = listed(images)
    assert list(found.images) == ["a.png", "c~.png", "set1/b.png"]
    assert found.notices == (f"{images}: left out 1 older copies that an editor keeps of images beside: a~.png",)
    assert found.left == {"a~.png": "older copies that an editor keeps of images beside"}


def test_a_link_to_an_image_that_is_listed_anyway_is_no_second_image(images: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere.png")
    write(images / ".hidden.png")
    for name, target in (
        ("1.png", images / "a.png"), ("e.png", tmp_path / "elsewhere.png"), ("f.png", images / "e.png"),
        ("h.png", images / ".hidden.png"),
    ):  # fmt: skip
        (images / name).symlink_to(target)
    found = listed(images)
    assert list(found.images) == ["a.png", "e.png", "h.png", "set1/b.png"]
    assert f"{images}: left out 2 link(s) to images that are listed anyway: 1.png, f.png" in found.notices


def test_votes_on_what_is_left_out_are_refused_with_the_reason(images: Path, tmp_path: Path) -> None:
    write(images / ".c.png")
    write(images / "d.ppm", kind="PPM")
    votes = pd.DataFrame({"image": ["a.png", "b.png", ".c.png", "d.ppm"], "label": list("xyxy")})
    votes.to_csv(tmp_path / "votes.csv", index=False)
    with pytest.raises(InputError, match=r"2 image\(s\) with votes are .*: \.c\.png \(.*hidden.*d\.ppm \(.*not read"):
        Folder(images, tmp_path / "votes.csv")


def test_linked_folders_and_images_are_read(images: Path, tmp_path: Path) -> None:
    write(tmp_path / "cruise" / "c.png")
    write(tmp_path / "cruise" / "leg 2" / "d.png")
    (images / "link").symlink_to(tmp_path / "cruise")
    write(tmp_path / "single.png")
    (images / "e.png").symlink_to(tmp_path / "single.png")
    assert list(listed(images).images) == ["a.png", "e.png", "link/c.png", "link/leg 2/d.png", "set1/b.png"]


def test_a_folder_of_one_link_is_read(images: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "cruise1").symlink_to(images)
    assert list(listed(tmp_path / "linked").images) == ["cruise1/a.png", "cruise1/set1/b.png"]


@pytest.mark.parametrize("target", [".", "..", "set1", "set1/inner/.."])
def test_no_folder_is_read_twice_whatever_way_leads_to_it(images: Path, target: str) -> None:
    (images / "set1" / "inner").mkdir()
    write(images.parent / "beside" / "c.png")
    (images / "again").symlink_to(target)
    found = listed(images)
    assert list(found.images) == ["a.png", "set1/b.png"]
    assert "1 folder(s) that are links around this one, or to one that is read already: again/" in found.notices[0]


def test_links_in_a_circle_end(images: Path, tmp_path: Path) -> None:
    write(tmp_path / "other" / "c.png")
    (images / "other").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(images)
    (tmp_path / "other" / "round").symlink_to("round")
    found = listed(images)
    assert list(found.images) == ["a.png", "other/c.png", "set1/b.png"]
    assert {notice.split(": ")[-1] for notice in found.notices} == {"other/back/", "other/round"}


def test_a_folder_that_cannot_be_read_is_named(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if folder.name == "set1":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match=r"set1 cannot be read \(Permission denied\): let this user read it"):
        listed(images)


def test_a_folder_without_images_tells_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    write(tmp_path / ".hidden" / "a.png")
    with pytest.raises(InputError, match=r"none of its 2 files(.|\n)*hidden(.|\n)*notes\.txt"):
        listed(tmp_path)


KUESTE = "Küste/ä_1.png"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_a_zip_that_are_not_marked_as_utf_8_are_read_as_such(tmp_path: Path, form: str) -> None:
    name = unicodedata.normalize(form, KUESTE)
    place = "_" * len(name.encode())
    write(tmp_path / "x.png")
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.write(tmp_path / "x.png", place)
        archive.write(tmp_path / "x.png", "plain.png")
    content = (tmp_path / "old.zip").read_bytes().replace(place.encode(), name.encode())
    (tmp_path / "images.zip").write_bytes(content)
    assert set(listed(tmp_path / "images.zip").images) == {name, "plain.png"}


def test_other_names_in_a_zip_stay(tmp_path: Path) -> None:
    write(tmp_path / "x.png")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.write(tmp_path / "x.png", KUESTE)  # marked as UTF-8
        archive.write(tmp_path / "x.png", "_____")
    # ü in code page 437, as Windows in the west writes it
    content = (tmp_path / "images.zip").read_bytes().replace(b"_____", b"\x81.png")
    (tmp_path / "images.zip").write_bytes(content)
    assert set(listed(tmp_path / "images.zip").images) == {KUESTE, "ü.png"}


def test_back_slashes_in_a_zip_are_folders(tmp_path: Path) -> None:
    write(tmp_path / "x.png")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for name in ("images\\", "images\\set1\\a.png", "images\\__MACOSX\\a.png", "./b.png"):
            archive.write(tmp_path / "x.png", name)
    found = listed(tmp_path / "images.zip")
    assert list(found.images) == ["b.png", "images/set1/a.png"]
    assert "images/__MACOSX" in found.notices[0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_a_file_that_a_zip_holds_twice_the_newer_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for level in (10, 200):
            write(tmp_path / "x.png", level)
            archive.write(tmp_path / "x.png", "a.png")
        write(tmp_path / "x.png", 90)
        archive.write(tmp_path / "x.png", "b.png")
    assert "left out 1 older copies of files in the archive: a.png" in listed(tmp_path / "images.zip").notices[0]
    assert read(tmp_path, "images.zip").images[0, 0, 0, 0] == 200


def read(folder: Path, images: str) -> Dataset:
    pd.DataFrame({"image": ["a.png", "b.png"], "label": ["x", "y"]}).to_csv(folder / "votes.csv", index=False)
    return ingest(Folder(folder / images, folder / "votes.csv"), 8, folder / "cache")


def test_names_that_differ_in_their_unicode_form_alone_are_a_fault(images: Path) -> None:
    for form in ("NFC", "NFD"):
        write(images / unicodedata.normalize(form, KUESTE))
    if len(list(images.iterdir())) < 4:
        pytest.skip("this file system takes both for one name")
    with pytest.raises(InputError, match=r"1 file name\(s\).*two forms of Unicode.*'K\\xfcste.* and 'Ku\\u0308ste"):
        listed(images)


def test_a_name_stays_as_the_disk_has_it(images: Path) -> None:
    name = unicodedata.normalize("NFD", "ä.png")
    write(images / name)
    assert name in listed(images).images


def test_formats_that_are_not_read_are_named_with_the_remedy_and_never_left_out_in_silence(tmp_path: Path) -> None:
    write(tmp_path / "images" / "a.png", 10)
    write(tmp_path / "images" / "b.png", 20)
    (tmp_path / "images" / "c.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 60)
    with (tmp_path / "images" / "d.jp2").open("wb") as file:
        Image.new("RGB", (8, 8)).save(file, "JPEG2000")
    with pytest.raises(InputError) as caught:
        read(tmp_path, "images")
    assert "2 image(s) cannot be read" in str(caught.value)
    assert "c.heic: HEIC is not read; save it as PNG" in str(caught.value)
    assert "d.jp2: JPEG 2000 is not read; save it as PNG" in str(caught.value)


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("case", "count"), [("14-suffixes-jfif-jpe", 45), ("15-foreign-files-in-subfolders", 45), ("base", 45)]
)
def test_cases_of_labs_are_read_whole(case: str, count: int, tmp_path: Path) -> None:
    data = ingest(Folder(CASES / case / "images", CASES / case / "votes.csv"), 16, tmp_path)
    assert len(data.names) == count
    assert (data.counts.sum(1) > 0).all()
    assert any("left out" in notice for notice in data.notices) == case.startswith("15")
    assert np.ptp(data.images) > 100
