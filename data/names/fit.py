"""A table's rows on the images at hand, under the images' own names."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from data.errors import InputError, name_some
from data.names.matching import Match, describe_unknown, fold, match_names, tidy
from data.names.renaming import learn
from data.names.spelling import show

_PROBE = 10_000
"""Names that are tried, at most, to tell whether other images have almost the same names."""


class Fitted(NamedTuple):
    """Rows whose images have the names they have elsewhere; names that fit none stay as they are."""

    rows: pd.DataFrame
    notices: tuple[str, ...]


def fit_images(rows: pd.DataFrame, source: str, images: Sequence[str], *, all_there: bool = True) -> Fitted:
    """Gives column image the names of `images`, as `data.names.matching.match_names` finds them, and says how.

    Names of other images that differ in spaces, slashes or Unicode form alone are one image, under the
    plain name where it stands there, else the commonest.

    Args:
        source: the table's name, for the messages.
        all_there: whether the table can name these images only. If not, its other images are renamed alike where
            one rule holds for all that fit.

    Raises:
        InputError: a name that fits several images, or an image that several different names fit.
    """
    given = rows["image"].unique().tolist()
    match = match_names(given, images, all_there=all_there)
    faults = [f"{name} fits {name_some(found, 5)}" for name, found in match.several.items()]
    faults += [f"{name_some(names, 5)} all fit {image}" for image, names in match.contested.items()]
    if faults:
        raise InputError(
            f"{source}: {len(faults)} image name(s) could mean several images: {name_some(faults, 5)}. Name the images"
            " as they are named there, with their folders."
        )
    notices = _describe(match, source)
    names = match.found
    if names and match.unknown and not all_there and (rule := learn(names)):
        # the table's other images are named alike, and may be at hand in the next round
        names = {**names, **{name: rule.apply(name) for name in match.unknown}}
    if names:
        rows = rows.assign(image=rows["image"].map(lambda name: names.get(name, name)))
    elif not all_there and 0 < len(match.unknown) < len(given):
        notices += _describe_near_misses(match.unknown, images, source)
    united = _unite_others(rows, source, images)
    return Fitted(united.rows, (*notices, *united.notices))


def describe_alike(images: Iterable[str], source: str) -> tuple[str, ...]:
    """Images whose names differ in suffix or capitals alone, in words: they stay two, and could be one."""
    by_fold: dict[str, list[str]] = {}
    for image in dict.fromkeys(images):
        by_fold.setdefault(fold(image), []).append(image)
    alike = [names for names in by_fold.values() if len(names) > 1]
    if not alike:
        return ()
    shown = name_some([" and ".join(show(name) for name in names[:3]) for names in alike], 3)
    return (
        f"{source}: {len(alike)} time(s) images have almost the same name, and count as different ones: {shown}; write"
        " the same name where it is the same image",
    )


def _unite_others(rows: pd.DataFrame, source: str, images: Sequence[str]) -> Fitted:
    """One name for those that `tidy` makes the same, of images that are none of `images`."""
    known = set(images)
    counts = rows["image"].value_counts()
    groups: dict[str, list[str]] = {}
    for name in counts.index:
        if name not in known:
            groups.setdefault(tidy(name), []).append(name)
    names: dict[str, str] = {}
    for plain, members in groups.items():
        best = min(members, key=lambda name: (name != plain, -counts[name], name))
        names |= {name: best for name in members if name != best}
    if not names:
        return Fitted(rows, ())
    name, image = next(iter(names.items()))
    notice = (
        f"{source}: {len(names)} image name(s) differ from another in spaces, slashes or Unicode form alone and are"
        f" taken as one: {show(name)} is {show(image)}"
    )
    return Fitted(rows.assign(image=rows["image"].map(lambda given: names.get(given, given))), (notice,))


def _describe(match: Match, source: str) -> list[str]:
    """How many names fit in which way, each with an example."""
    return [
        f"{source}: {len(names)} image name(s) were matched {reason}: {show(names[0])} is {show(match.found[names[0]])}"
        for reason, names in match.how.items()
        if names
    ]


def _describe_near_misses(unknown: Sequence[str], images: Sequence[str], source: str) -> list[str]:
    near = match_names(unknown[:_PROBE], images, all_there=False).found
    if not near:
        return []
    name, image = next(iter(near.items()))
    return [
        f"{source}: {len(near)} image name(s) almost fit and were taken as other images, because other names fit to the"
        f" letter: {show(name)}, not {show(image)}; write the same name where it is the same image"
    ]


def name_unknown(rows: pd.DataFrame, images: Sequence[str]) -> list[str]:
    """The fault, in words, of images that are not there; empty where all are."""
    given = pd.Index(rows["image"].unique())
    unknown = sorted(given[~given.isin(images)])
    if not unknown:
        return []
    return [f"votes for {len(unknown)} image(s) that are not there: {describe_unknown(unknown, images)}"]
