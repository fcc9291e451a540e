"""Which image a table means: names that almost fit, taken where only one image can be meant."""

import bisect
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from data.names.spelling import clean, show

_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before an uploaded file's name."""
_SUFFIX = re.compile(r"(?<=.)\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_ADDRESS = re.compile(r"^([/\\]|[A-Za-z]:[/\\])|://|\?d=")
"""An absolute path or a URL."""
_FEW = 5000
"""Names among which the nearest is looked for; of more, those beside it in the order of names."""


class Match(NamedTuple):
    """What the names of a table stand for."""

    found: dict[str, str]
    """Name in the table -> image, for those that do not fit to the letter."""
    how: dict[str, list[str]]
    """Reason in words -> the names that fit by it."""
    unknown: list[str]
    """Names that fit no image."""
    several: dict[str, list[str]]
    """Name -> the images that it fits alike."""
    contested: dict[str, list[str]]
    """Image -> different names that fit it alike."""


class _Level(NamedTuple):
    reason: str
    of_table: Callable[[str], str]
    of_image: Callable[[str], str]


def match_names(given: Iterable[str], images: Sequence[str], *, all_there: bool = True) -> Match:
    """Matches the names of a table with images, each level coarser than the one before; a name that fits is taken.

    First spaces, Unicode form, back slashes and `./`; then what stands after the last / (with as many folders as tell
    images apart, of an address the path or `?d=`); then without the prefix of an upload, without case, without suffix,
    and numbers without leading zeros. Only where one image fits, and no other name fits it, unless one is the end of
    the other.

    Args:
        all_there: whether the table can name these images only. If not, names that do not fit may be other images: the
            coarser levels never join different folders or suffixes, and once a name fits to the letter they are taken
            for absolute paths and URLs only, which are no image's own name.
    """
    known = set(images)
    names = list(dict.fromkeys(given))
    exact = [name for name in names if name in known]
    left = [name for name in names if name not in known]
    match = Match({}, {}, [], {}, {})
    if not left or not known:
        match.unknown.extend(left)
        return match
    left = _match_cleaned(left, images, match)
    if all_there or not (exact or match.found):
        left = _match_coarsely(left, images, all_there, match)
    else:  # an address is no name of its own: below a folder, images have none such
        addresses = _match_coarsely([name for name in left if _ADDRESS.search(name)], images, all_there, match)
        known_by_address = [image for image in images if _ADDRESS.search(image)]
        others = [name for name in left if not _ADDRESS.search(name)]
        left = [*addresses, *_match_coarsely(others, known_by_address, all_there, match)]
    match.unknown.extend(left)
    _settle_contests(exact, match)
    return match


def describe_unknown(unknown: Sequence[str], images: Sequence[str], limit: int = 20) -> str:
    """The names, shown so that stray spaces are seen, with the nearest image where one is near."""
    shown = []
    for place, name in enumerate(unknown[:limit]):
        near = _find_nearest(name, images) if place < 3 else ""
        text = name if name == clean(name) else show(name)
        shown.append(f"{text} (the nearest is {near})" if near else text)
    return ", ".join(shown) + (f" and {len(unknown) - limit} more" if len(unknown) > limit else "")


def _match_cleaned(left: list[str], images: Sequence[str], match: Match) -> list[str]:
    """Names that differ from an image's in what nobody means: these may well be several for one image."""
    places: dict[str, list[str]] = {}
    for image in images:
        places.setdefault(tidy(image), []).append(image)
    rest = []
    for name in left:
        fitting = places.get(tidy(name), [])
        if len(fitting) == 1:
            _take(name, fitting[0], "by ignoring spaces, slashes and Unicode form", match)
        else:
            rest.append(name)
    return rest


def _match_coarsely(left: list[str], images: Sequence[str], all_there: bool, match: Match) -> list[str]:
    for level in _LEVELS if images else ():
        left = _match_level(left, images, level, all_there, match)
    return left


def _match_level(left: list[str], images: Sequence[str], level: _Level, all_there: bool, match: Match) -> list[str]:
    if not left:
        return left
    ends: dict[str, str] = {}
    shared: dict[str, list[str]] = {}
    whole: dict[str, str] = {}
    for image in images:
        whole[image] = level.of_image(image)
        for end in _ends(whole[image]):
            if end in ends:
                shared.setdefault(end, [ends[end]]).append(image)
            else:
                ends[end] = image
    rest = []
    for name in left:
        path = level.of_table(name)
        end = next((end for end in _ends(path) if end in ends), "")
        if end in shared and (all_there or end == path):
            match.several[name] = shared[end]
        elif end and end not in shared and (all_there or _is_surely(name, path, ends[end], whole[ends[end]], end)):
            _take(name, ends[end], level.reason, match)
        else:
            rest.append(name)
    return rest


def _is_surely(name: str, path: str, image: str, own_path: str, end: str) -> bool:
    """Whether no folder and no suffix of name and image differ: `end` is all of one of them."""
    return end in (path, own_path) and _same_suffix(name, image)


def _settle_contests(exact: list[str], match: Match) -> None:
    """Takes back names that share an image with another name, unless all are ends of the longest of them."""
    claims: dict[str, list[str]] = {}
    for name, image in match.found.items():
        claims.setdefault(image, []).append(name)
    fits = set(exact)
    for image, names in claims.items():
        claimants = [*([image] if image in fits else []), *names]
        if len(claimants) == 1 or _are_ends_of_one(claimants):
            continue
        loose = [name for name in names if tidy(name) != tidy(image)]
        if len(loose) == len(claimants):
            match.contested[image] = claimants
        else:  # another name fits to the letter: the loose ones are slips, or images that are not there
            match.unknown.extend(loose)
        for name in loose:
            del match.found[name]
    for reason in list(match.how):
        match.how[reason] = [name for name in match.how[reason] if name in match.found]


def _are_ends_of_one(names: list[str]) -> bool:
    paths = sorted({locate(name).casefold() for name in names}, key=len)
    return all(f"/{paths[-1]}".endswith(f"/{path}") for path in paths)


def _take(name: str, image: str, reason: str, match: Match) -> None:
    match.found[name] = image
    match.how.setdefault(reason, []).append(name)


def _ends(path: str) -> list[str]:
    """a/b/c, b/c and c."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def tidy(name: str) -> str:
    """Cleaned, with single forward slashes and without empty or `.` folders."""
    return "/".join(part.strip() for part in clean(name).replace("\\", "/").split("/") if part.strip() not in ("", "."))


def locate(name: str) -> str:
    """The path in an address: what stands after `?d=` (Label Studio's local files), or before a query."""
    if "?d=" in name:
        return tidy(unquote(name.split("?d=", 1)[1].split("&", 1)[0]))
    if "://" in name:
        name = unquote(re.split(r"[?#]", name.split("://", 1)[1], maxsplit=1)[0])
    return tidy(name)


def fold(name: str) -> str:
    """What an image's name is without an upload's prefix, capitals and suffix; its folders stay."""
    return _stem(without_upload(name).casefold())


def _change_last(path: str, change: Callable[[str], str]) -> str:
    folder, slash, last = path.rpartition("/")
    return folder + slash + change(last)


def without_upload(name: str) -> str:
    # an uploaded file's name has underscores for spaces
    return _change_last(locate(name), lambda last: _UPLOAD.sub("", last).replace(" ", "_"))


def _underscored(name: str) -> str:
    return _change_last(tidy(name), lambda last: last.replace(" ", "_"))


def _stem(path: str) -> str:
    return _change_last(path, lambda last: _SUFFIX.sub("", last))


def _without_zeros(path: str) -> str:
    """007 as 7, and 7.0, which a column with gaps makes of it, as 7."""
    return _change_last(path, lambda last: str(int(last.split(".")[0])) if re.fullmatch(r"\d+(\.0)?", last) else last)


def _same_suffix(name: str, image: str) -> bool:
    """Whether at most one of two names has a suffix, or both the same."""
    found = {suffix[0].casefold() for text in (locate(name), image) if (suffix := _SUFFIX.search(text))}
    return len(found) <= 1


_LEVELS = (
    _Level("by what stands after the last /, and folders before it", locate, tidy),
    _Level("without an upload's prefix", without_upload, _underscored),
    _Level(
        "by ignoring capitals",
        lambda name: without_upload(name).casefold(),
        lambda image: _underscored(image).casefold(),
    ),
    _Level(
        "without the suffix",
        fold,
        lambda image: _stem(_underscored(image).casefold()),
    ),
    _Level(
        "without leading zeros",
        lambda name: _without_zeros(_stem(without_upload(name).casefold())),
        lambda image: _without_zeros(_stem(_underscored(image).casefold())),
    ),
)


def _find_nearest(name: str, images: Sequence[str]) -> str:
    last = locate(name)
    pool = images
    if len(images) > _FEW:
        ordered = sorted(images)
        place = bisect.bisect(ordered, last)
        pool = ordered[max(0, place - 100) : place + 100]
    close = difflib.get_close_matches(last, pool, n=50, cutoff=0.6)
    # names of running numbers are all alike: a slip near the end is likelier than one at the start
    return max(sorted(close), key=lambda image: (_count_alike(last, image), _likeness(last, image)), default="")


def _count_alike(one: str, other: str) -> int:
    """Letters before the first that differs; all of the shorter one where the longer begins with it."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()
