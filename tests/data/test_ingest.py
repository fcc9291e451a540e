"""A lab's folder becomes an array, or one clear error and nothing half-written."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.images.decoding import BadImage
from data.images.deep import UNMEASURED, Reading
from data.ingest import Dataset, ingest
from data.sources.folder import Folder
from tests.data.images.files import grey_tiff, one, png_16, tiff


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Six images of several formats and sizes in nested folders, and their votes."""
    images = tmp_path / "images"
    (images / "site1").mkdir(parents=True)
    rows = []
    for index, suffix in enumerate(("png", "jpg", "webp", "tif", "bmp", "gif")):
        name = f"i{index}.{suffix}"
        Image.new("RGB", (20 + index, 10), (40 * index, 0, 0)).save(images / ("site1" if index % 2 else ".") / name)
        rows += [(name, "cat", 2), (name, "dog", 1)] if index % 2 else [(name, "cat", 3)]
    pd.DataFrame(rows, columns=["image", "label", "votes"]).to_csv(tmp_path / "votes.csv", index=False)
    return tmp_path


def read(lab: Path, size: int = 8, skip: bool = False, images: str = "images") -> Dataset:
    return ingest(Folder(lab / images, lab / "votes.csv"), size, lab / "cache", skip)


def test_images_of_any_format_and_size_are_resized(lab: Path) -> None:
    data = read(lab)
    assert data.images.shape == (6, 8, 8, 3)
    assert data.images.dtype == np.uint8
    assert data.classes == ("cat", "dog")
    rows = {name: index for index, name in enumerate(data.names)}
    assert abs(int(data.images[rows["i4.bmp"]][..., 0].mean()) - 160) < 3
    assert data.counts[rows["i1.jpg"]].tolist() == [2, 1]


def test_second_reading_takes_the_decoded_array(lab: Path) -> None:
    first = read(lab)
    path = Path(first.images.filename)
    stamp = path.stat().st_mtime_ns
    assert read(lab).fingerprint == first.fingerprint
    assert path.stat().st_mtime_ns == stamp


def test_fingerprint_changes_with_pixels_votes_and_size(lab: Path) -> None:
    prints = {read(lab).fingerprint, read(lab, size=9).fingerprint}
    Image.new("RGB", (20, 10), (1, 2, 3)).save(lab / "images" / "i0.png")
    prints.add(read(lab).fingerprint)
    votes = (lab / "votes.csv").read_text()
    (lab / "votes.csv").write_text(votes.replace("i0.png,cat,3", "i0.png,cat,4"))
    prints.add(read(lab).fingerprint)
    assert len(prints) == 4


def test_zip_gives_the_same_images_as_the_folder(lab: Path) -> None:
    with zipfile.ZipFile(lab / "images.zip", "w") as archive:
        for path in (lab / "images").rglob("*.*"):
            archive.write(path, path.relative_to(lab / "images"))
    assert np.array_equal(read(lab).images, read(lab, images="images.zip").images)


def test_votes_may_name_images_by_path(lab: Path) -> None:
    table = pd.read_csv(lab / "votes.csv")
    paths = {path.name: path.relative_to(lab / "images").as_posix() for path in (lab / "images").rglob("*.*")}
    table.assign(image=table["image"].map(paths)).to_csv(lab / "votes.csv", index=False)
    assert "site1/i1.jpg" in read(lab).names


def test_every_unreadable_image_is_named_and_none_is_left_behind(lab: Path) -> None:
    (lab / "images" / "i0.png").write_bytes(b"")
    (lab / "images" / "site1" / "i1.jpg").write_text("no image")
    with pytest.raises(
        InputError, match=r"2 image\(s\) cannot be read(.|\n)*i0.png(.|\n)*i1.jpg(.|\n)*--skip-bad-images"
    ):
        read(lab)
    data = read(lab, skip=True)
    assert len(data.names) == len(data.counts) == len(data.images) == 4
    assert len(data.left_out) == 2
    assert "i0.png" in data.left_out[0]


def test_broken_source_leaves_no_half_written_cache(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("data.ingest.resize", fail)
    with pytest.raises(OSError, match="disk full"):
        read(lab)
    assert list((lab / "cache").iterdir()) == []


def test_two_images_of_one_name_are_refused(lab: Path) -> None:
    Image.new("RGB", (4, 4)).save(lab / "images" / "site1" / "i0.png")
    with pytest.raises(InputError, match=r"share a name: i0\.png"):
        read(lab)


def test_vote_for_a_missing_image_is_refused_before_any_decoding(lab: Path) -> None:
    (lab / "images" / "i0.png").unlink()
    with pytest.raises(InputError, match=r"not there: i0\.png"):
        read(lab)
    assert not (lab / "cache").exists()


@pytest.mark.parametrize(
    ("images", "message"), [("nowhere", "No images at"), ("votes.csv", "neither a folder nor a readable zip")]
)
def test_places_without_images_are_refused(lab: Path, images: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(lab, images=images)


def test_folder_without_images_is_refused(lab: Path) -> None:
    for path in (lab / "images").rglob("*.*"):
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(InputError, match="none of its 6 files"):
        read(lab)


def zip_of(lab: Path) -> bytes:
    """The lab's images in an archive."""
    with zipfile.ZipFile(lab / "images.zip", "w") as archive:
        for path in sorted((lab / "images").rglob("*.*")):
            archive.write(path, path.name)
    return (lab / "images.zip").read_bytes()


def damage(content: bytes) -> bytes:
    """One byte of i0.png is another one."""
    place = content.index(b"IHDR")
    return content[:place] + b"j" + content[place + 1 :]


def encrypt(content: bytes) -> bytes:
    """The flag in both headers of i0.png says that it is encrypted."""
    local, central = content.index(b"i0.png") - 30 + 6, content.rindex(b"i0.png") - 46 + 8
    for place in (local, central):
        content = content[:place] + b"\x01" + content[place + 1 :]
    return content


@pytest.mark.parametrize(("change", "reason"), [(damage, "Bad CRC-32"), (encrypt, "encrypted")])
def test_what_an_archive_cannot_give_is_named(lab: Path, change: Callable[[bytes], bytes], reason: str) -> None:
    (lab / "images.zip").write_bytes(change(zip_of(lab)))
    with pytest.raises(InputError, match=rf"Image i0\.png cannot be read from .*images\.zip \(.*{reason}.*mend it, or"):
        read(lab, images="images.zip")


def test_a_file_name_that_is_no_text_is_named(lab: Path) -> None:
    content = (lab / "images" / "i0.png").read_bytes()
    try:
        Path(os.fsdecode(os.fsencode(lab / "images") + b"/caf\xe9.png")).write_bytes(content)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    with pytest.raises(InputError, match=r"1 file name\(s\) in .* are not in UTF-8: 'caf\\udce9\.png'. Rename them"):
        read(lab)


def test_pixels_names_and_votes_stay_together_when_images_are_skipped(tmp_path: Path) -> None:
    # image number i has grey level 20 i and i + 1 votes for x; every third is no image
    (tmp_path / "images").mkdir()
    rows = [(f"{number:02}.png", "x", number + 1) for number in range(12)] + [("11.png", "y", 1), ("01.png", "y", 1)]
    pd.DataFrame(rows, columns=["image", "label", "votes"]).to_csv(tmp_path / "votes.csv", index=False)
    for number in range(12):
        path = tmp_path / "images" / f"{number:02}.png"
        if number % 3 == 0:
            path.write_text("no image")
        else:
            Image.new("L", (9, 9), 20 * number).save(path)
    data = read(tmp_path, skip=True)
    assert [line.partition(":")[0] for line in data.left_out] == ["00.png", "03.png", "06.png", "09.png"]
    numbers = [int(name.removesuffix(".png")) for name in data.names]
    assert numbers == [1, 2, 4, 5, 7, 8, 10, 11]
    assert data.images.shape == (8, 8, 8, 3)
    assert [image.tolist() for image in data.images[:, 4, 4]] == [[20 * number] * 3 for number in numbers]
    assert data.counts[:, 0].tolist() == [number + 1 for number in numbers]


LEVELS = np.linspace(20, 200, 12).astype(int)


def write_deep(folder: Path, kind: str = "tif", factor: int = 16, base: int = 64) -> None:
    """Twelve 12-bit pictures in 16 bits, each a ramp around its own level; the last is the brightest."""
    (folder / "images").mkdir(exist_ok=True)
    rows = []
    for number, level in enumerate(LEVELS):
        ramp = np.add.outer(np.arange(-10, 10), np.arange(-10, 10)) + level
        values = (ramp * factor + base).astype(np.uint16)
        content = grey_tiff(values) if kind == "tif" else png_16(values)
        (folder / "images" / f"{number:02}.{kind}").write_bytes(content)
        rows.append((f"{number:02}.{kind}", "dark" if number < 6 else "bright"))
    pd.DataFrame(rows, columns=["image", "label"]).to_csv(folder / "votes.csv", index=False)


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_12_bits_in_16_are_read_by_the_range_of_the_data_set(tmp_path: Path, kind: str) -> None:
    write_deep(tmp_path, kind)
    data = read(tmp_path)
    assert data.reading == Reading({"16-bit grey": (64.0, 16 * 218 + 64.0)})
    means = data.images.mean((1, 2, 3))
    # each as bright against the others as the camera took it
    assert np.abs(means - (LEVELS - 1) * 255 / 218).max() < 2
    assert data.notices == (
        "12 image(s) have 16-bit grey values: 64 becomes black and 3552 white, in all of them alike",
    )


def test_images_of_a_second_camera_that_are_almost_black_are_counted(tmp_path: Path) -> None:
    write_deep(tmp_path)
    wide = np.linspace(0, 65535, 400).astype(np.uint16).reshape(20, 20)
    for number in range(9, 12):
        (tmp_path / "images" / f"{number:02}.tif").write_bytes(grey_tiff(wide))
    (notice,) = read(tmp_path).notices
    assert "0 becomes black and 65535 white" in notice
    assert "9 of them stay below 1/16 of this range and are almost black" in notice


def test_a_recorded_range_is_kept_whatever_the_data_are_now(tmp_path: Path) -> None:
    write_deep(tmp_path)
    recorded = Reading({"16-bit grey": (0.0, 4095.0)})
    source = Folder(tmp_path / "images", tmp_path / "votes.csv")
    first, again = (ingest(source, 8, tmp_path / "cache", reading=reading) for reading in (None, recorded))
    assert again.reading == recorded
    assert again.fingerprint == first.fingerprint
    assert np.abs(again.images.mean((1, 2, 3)) - (LEVELS * 16 + 48) * 255 / 4095).max() < 2


def test_data_are_decoded_once_for_the_range_that_was_measured(tmp_path: Path) -> None:
    write_deep(tmp_path)
    source = Folder(tmp_path / "images", tmp_path / "votes.csv")
    first = ingest(source, 8, tmp_path / "cache")
    again = ingest(source, 8, tmp_path / "cache", reading=first.reading)
    assert np.array_equal(first.images, again.images)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_copy_made_by_older_rules_serves_older_runs_alone(lab: Path) -> None:
    source = Folder(lab / "images", lab / "votes.csv")
    old = ingest(source, 8, lab / "cache", reading=UNMEASURED)
    copy = lab / "cache" / old.fingerprint
    (copy / "index.json").write_text('{"names": ["i0.png", "i1.jpg"], "bad": []}')
    np.save(copy / "images.npy", np.full((2, 8, 8, 3), 7, np.uint8))
    assert np.all(ingest(source, 8, lab / "cache", reading=UNMEASURED).images == 7)
    new = ingest(source, 8, lab / "cache")
    assert new.fingerprint == old.fingerprint
    assert len(new.names) == 6


def test_a_stack_is_refused_or_its_chosen_page_read(tmp_path: Path) -> None:
    write_deep(tmp_path)
    black = np.zeros((20, 20), np.uint16)
    for path in (tmp_path / "images").iterdir():
        values = np.asarray(Image.open(path))
        path.write_bytes(tiff(one(black), one(values)))
    with pytest.raises(InputError, match=r"12 image\(s\) cannot be read(.|\n)*00\.tif: it is a stack(.|\n)*--page"):
        read(tmp_path)
    data = ingest(Folder(tmp_path / "images", tmp_path / "votes.csv", page=2), 8, tmp_path / "cache")
    assert data.reading == Reading({"16-bit grey": (64.0, 16 * 218 + 64.0)}, 2)
    assert data.images.mean() > 100
    other = ingest(Folder(tmp_path / "images", tmp_path / "votes.csv", page=1), 8, tmp_path / "cache")
    assert other.fingerprint == data.fingerprint
    assert other.images.max() == 0


def test_8_bit_images_need_no_range_and_no_notice(lab: Path) -> None:
    data = read(lab)
    assert data.reading == Reading({})
    assert data.notices == ()


def test_what_was_left_out_beside_the_images_is_told_with_the_data(lab: Path) -> None:
    (lab / "images" / "._i0.png").write_bytes(b"\0\5\x16\7")
    for _ in range(2):  # decoded, and out of the cache
        data = read(lab)
        assert len(data.names) == 6
        assert "left out 1 file(s) and folder(s) that are hidden or of other programs: ._i0.png" in data.notices[0]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_deep_image_that_cannot_be_read_stops_no_measuring(tmp_path: Path) -> None:
    write_deep(tmp_path)
    path = tmp_path / "images" / "03.tif"
    path.write_bytes(path.read_bytes()[:60])
    data = read(tmp_path, skip=True)
    assert len(data.names) == 11
    assert data.images.mean() > 60
    with pytest.raises(BadImage):
        Folder(tmp_path / "images", tmp_path / "votes.csv").read("03.tif")


def rename(lab: Path, change: Callable[[str], str]) -> None:
    """Changes the image names of the vote table."""
    table = pd.read_csv(lab / "votes.csv")
    table.assign(image=table["image"].map(change)).to_csv(lab / "votes.csv", index=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda name: f"/lab/x/{name}",
        lambda name: f"C:\\x\\{name}",
        lambda name: f"/data/local-files/?d=x/{name}",
        lambda name: f"/data/upload/1/0a1b2c3d-{name}",
        str.upper,
        lambda name: name.partition(".")[0],
        lambda name: f"{name} ",
    ],
)
def test_votes_may_name_images_in_almost_any_way(lab: Path, change: Callable[[str], str]) -> None:
    before = read(lab)
    rename(lab, change)
    after = read(lab)
    assert (after.names, after.counts.tolist()) == (before.names, before.counts.tolist())
    assert after.fingerprint == before.fingerprint, "the same data: nothing is decoded anew"
    assert "votes.csv: 6 image name(s) were matched" in after.notices[0]
    assert before.notices == ()


def test_a_slip_among_equal_file_names_in_two_folders_is_named(lab: Path) -> None:
    """And a name that is there is never shown as missing."""
    (lab / "images" / "site2").mkdir()
    Image.new("RGB", (4, 4)).save(lab / "images" / "site2" / "i1.jpg")
    folders = {name: path for path in ("site1/i1.jpg", "site1/i3.tif", "site1/i5.gif") for name in [path[6:]]}
    rename(lab, lambda name: folders.get(name, name))
    text = (lab / "votes.csv").read_text()
    assert read(lab).names.count("site2/i1.jpg") == 1
    (lab / "votes.csv").write_text(text.replace("site1/i3.tif,cat,2", "site1/i4.tif,cat,2"))
    with pytest.raises(
        InputError, match=r"votes for 1 image\(s\) that are not there: site1/i4\.tif \(the nearest is site1/i3\.tif\)$"
    ):
        read(lab)


def test_ties_are_counted_in_the_notices(lab: Path) -> None:
    with (lab / "votes.csv").open("a") as file:
        file.write("i1.jpg,dog,1\ni3.tif,dog,1\n")
    assert read(lab).notices[-1].startswith("2 of 6 images with votes have several classes with most votes")
