"""Which files below a folder or in a zip are images, and what else lies there and is left out."""

import contextlib
import os
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from data.errors import InputError, name_some
from data.images.decoding import looks_like_image

SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".apng", ".webp", ".tif", ".tiff"),
        *(".gif", ".bmp", ".dib", ".avif"),
        # not read: listed so that each is named with the remedy, as any other image that cannot be read
        *(".heic", ".heif", ".hif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jxl"),
    }
)
_FOREIGN = frozenset(
    {
        *("__macosx", "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"),
        *("$recycle.bin", "recycler", "system volume information", "lost+found"),
        *("network trash folder", "temporary items"),
    }
)
"""Folders that systems, archives and network disks put beside images, in lower case; hidden names besides."""
_THUMBNAILS = frozenset({"thumb", "thumbs", "thumbnail", "thumbnails"})
"""Folders, in lower case and without a `_` in front."""
_SHOWN = 5

FOREIGN = "file(s) and folder(s) that are hidden or of other programs"
THUMBNAIL = "thumbnail(s) of images that lie beside"
BACKUP = "older copies that an editor keeps of images beside"
NO_IMAGE = "file(s) that are no images or of formats that are not read"
MISNAMED = "file(s) that hold an image but are not named like one, rename those that belong to the data"
NOWHERE = "link(s) that lead nowhere, mend them where images are missing"
AGAIN = "folder(s) that are links around this one, or to one that is read already"
LINKED = "link(s) to images that are listed anyway"
OLDER = "older copies of files in the archive"


class Listing(NamedTuple):
    """What was found."""

    images: Mapping[str, Path | zipfile.ZipInfo]
    """Path below the folder or in the archive, with forward slashes, sorted -> where its bytes are."""
    notices: tuple[str, ...]
    """One line for each reason to leave something out, with the number and some names."""
    left: Mapping[str, str]
    """What was left out -> the reason in words; of a folder its own path alone."""


class Found(NamedTuple):
    """A file, or something that was passed over for a reason."""

    path: str
    place: Path | zipfile.ZipInfo | None
    reason: str = ""
    is_link: bool = False


def list_images(images: Path, archive: zipfile.ZipFile | None) -> Listing:
    """The images below a folder, or in the archive that `images` is.

    Raises InputError when there is none, a folder cannot be read, a name is no text, or two differ only in the form
    in which Unicode writes them.
    """
    found = list(_walk(images) if archive is None else _unpack(archive))
    kept: dict[str, Path | zipfile.ZipInfo] = {}
    left: dict[str, list[str]] = {}
    for path, place, reason, _ in found:
        if place is not None:
            reason = reason or _judge(path, partial(read_start, place, archive))
        if reason or place is None:
            left.setdefault(reason, []).append(path)
        else:
            if path in kept:
                left.setdefault(OLDER, []).append(path)
            kept[path] = place
    links = {path for path, _, _, is_link in found if is_link and path in kept}
    for reason, paths in (
        (THUMBNAIL, _find_thumbnails(kept)),
        (BACKUP, _find_backups(kept)),
        (LINKED, _find_double_links(kept, links)),
    ):
        for path in paths:
            if kept.pop(path, None) is not None:
                left.setdefault(reason, []).append(path)
    notices = tuple(_tell(images, reason, sorted(paths)) for reason, paths in sorted(left.items()))
    if not kept:
        raise InputError(
            f"No image in {images}: none of its {len(found)} files ends in {name_some(sorted(SUFFIXES), 40)}."
            + "".join(f"\n- {notice}" for notice in notices)
        )
    _check_names(images, list(kept))
    return Listing(
        dict(sorted(kept.items())), notices, {path: reason for reason, paths in left.items() for path in paths}
    )


def read_start(place: Path | zipfile.ZipInfo, archive: zipfile.ZipFile | None) -> bytes:
    """The first bytes of a file, enough to tell its format; none where it cannot be read, which decoding will tell."""
    try:
        if isinstance(place, Path):
            with place.open("rb") as file:
                return file.read(64)
        assert archive is not None
        with archive.open(place) as member:
            return member.read(64)
    except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile):
        return b""


def _walk(root: Path) -> Iterator[Found]:
    """All files below a folder, also behind links; each folder once, wherever links lead."""
    seen = {_identity(folder) for folder in (root.resolve(), *root.resolve().parents)}
    folders: list[tuple[Path, str]] = [(root, "")]
    links: list[tuple[Path, str]] = []
    while folders or links:
        # a folder is read under its own name before a link can lead to it
        folder, prefix = folders.pop() if folders else links.pop(0)
        if prefix:
            if _identity(folder) in seen:
                yield Found(prefix, None, AGAIN)
                continue
            seen.add(_identity(folder))
        for entry in _scan(folder):
            path = f"{prefix}{entry.name}"
            # os.DirEntry raises for a link to itself, pathlib says that it leads nowhere
            target = Path(entry.path) if entry.is_symlink() else entry
            if _is_foreign(entry.name):
                yield Found(path, None, FOREIGN)
            elif target.is_dir():
                (links if entry.is_symlink() else folders).append((Path(entry.path), f"{path}/"))
            elif target.is_file():
                yield Found(path, Path(entry.path), is_link=entry.is_symlink())
            else:
                yield Found(path, None, NOWHERE if entry.is_symlink() else NO_IMAGE)


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"The folder {folder} cannot be read ({error.strerror}): let this user read it, or move it away."
        ) from error


def _identity(path: Path) -> tuple[int, int]:
    """What two ways to one folder or file share."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _unpack(archive: zipfile.ZipFile) -> Iterator[Found]:
    """All files of an archive, what belongs to other programs once for a folder."""
    passed: set[str] = set()
    for info in archive.infolist():
        path = _mend_name(info)
        if info.is_dir() or path.endswith("/"):
            continue
        parts = [part for part in path.split("/") if part not in ("", ".")]
        foreign = next((place for place, part in enumerate(parts) if _is_foreign(part)), None)
        if foreign is None:
            yield Found("/".join(parts), info)
        elif (folder := "/".join(parts[: foreign + 1])) not in passed:
            passed.add(folder)
            yield Found(folder, None, FOREIGN)


def _mend_name(info: zipfile.ZipInfo) -> str:
    """A member's path as it was meant: UTF-8 that is not marked as such, and the back slashes of Windows."""
    name = info.filename
    if not info.flag_bits & 0x800:
        # otherwise it is in another code page, or already put right by a field of the archive
        with contextlib.suppress(ValueError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_foreign(name: str) -> bool:
    # an Office program keeps ~$name while it has the file open
    return (name.startswith((".", "~$")) and name not in (".", "..")) or name.lower() in _FOREIGN


def _judge(path: str, start: Callable[[], bytes]) -> str:
    """Why a file is none of the images; empty for an image. Only a name that does not tell makes it read the file."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in SUFFIXES:
        return ""
    if not looks_like_image(start()):
        return NO_IMAGE
    # 0001 or scan_2.5 has no suffix; .jpg_original, .bak or .nef is a copy that another program keeps
    return MISNAMED if suffix[1:2].isalpha() else ""


def _find_thumbnails(paths: Mapping[str, object]) -> list[str]:
    """Images in a folder for thumbnails whose name another image outside has too."""
    small = [path for path in paths if _THUMBNAILS & {part.lower().lstrip("_") for part in path.split("/")[:-1]}]
    others = {PurePosixPath(path).stem.lower() for path in set(paths) - set(small)}
    return [path for path in small if PurePosixPath(path).stem.lower() in others]


def _find_backups(paths: Mapping[str, object]) -> list[str]:
    """a~.jpg beside a.jpg."""
    marked = [path for path in paths if PurePosixPath(path).stem.endswith("~")]
    return [path for path in marked if f"{path[: path.rindex('~')]}{PurePosixPath(path).suffix}" in paths]


def _find_double_links(kept: Mapping[str, Path | zipfile.ZipInfo], links: set[str]) -> list[str]:
    """Links to a file that stands in the list under its own name, or by a link before."""
    if not links:
        return []
    seen = {_identity(place) for path, place in kept.items() if path not in links and isinstance(place, Path)}
    double = []
    for path in sorted(links):
        place = kept[path]
        if isinstance(place, Path) and (identity := _identity(place)) in seen:
            double.append(path)
        else:
            seen.add(identity)
    return double


def _tell(images: Path, reason: str, paths: Sequence[str]) -> str:
    shown = name_some([path if _is_text(path) else repr(path) for path in paths], _SHOWN)
    return f"{images}: left out {len(paths)} {reason}: {shown}"


def _check_names(images: Path, paths: list[str]) -> None:
    if strange := [path for path in paths if not _is_text(path)]:
        shown = name_some([repr(path) for path in strange])
        raise InputError(f"{len(strange)} file name(s) in {images} are not in UTF-8: {shown}. Rename them.")
    forms: dict[str, list[str]] = {}
    for path in paths:
        forms.setdefault(unicodedata.normalize("NFC", path), []).append(path)
    twice = [" and ".join(map(ascii, same)) for same in forms.values() if len(same) > 1]
    if twice:
        raise InputError(
            f"{len(twice)} file name(s) in {images} are there twice, written alike but in two forms of Unicode"
            f" (an accent as part of its letter or after it): {name_some(twice)}. Remove or rename one of each."
        )


def _is_text(path: str) -> bool:
    """Whether a name can be written; bytes of a file system that are no UTF-8 come as half surrogate pairs."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
