"""A table's rows on the images at hand, under the images' own names."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from training.data.names import Match, describe_unknown, match_names
from training.data.renaming import learn
from training.data.spelling import show
from training.errors import InputError, name_some

_PROBE = 10_000
"""Names that are tried, at most, to tell whether other images have almost the same names."""


class Fitted(NamedTuple):
    """Rows whose images have the names they have elsewhere; names that fit none stay as they are."""

    rows: pd.DataFrame
    notices: tuple[str, ...]


def fit_images(rows: pd.DataFrame, source: str, images: Sequence[str], *, all_there: bool = True) -> Fitted:
    """Gives column image the names of `images`, as `training.data.names.match_names` finds them, and says how.

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
    return Fitted(rows, tuple(notices))


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
