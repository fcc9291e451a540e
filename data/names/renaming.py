"""How a table names its images, learnt from those that are at hand, for those that are not."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from data.names.matching import locate, tidy, without_upload

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


class Renaming(NamedTuple):
    """What turns a name of the table into an image's: one rule for all."""

    locate: Callable[[str], str]
    prefix: str
    """Taken off."""
    width: int
    """Digits of a number, leading zeros put back; 0 leaves it."""
    suffix: str
    """Put on."""

    def apply(self, name: str) -> str:
        """The name as the images are named; one that does not begin as the others do stays."""
        path = self.locate(name)
        if not path.startswith(self.prefix):
            return name
        return path[len(self.prefix) :].zfill(self.width) + self.suffix


def learn(found: Mapping[str, str]) -> Renaming | None:
    """The one rule that gives all pairs of table's name and image; None where there is none."""
    name, image = next(iter(found.items()))
    for find in (locate, without_upload):
        rule = _guess(find, find(name), tidy(image))
        if rule and all(rule.apply(name) == tidy(image) for name, image in found.items()):
            return rule
    return None


def _guess(find: Callable[[str], str], path: str, image: str) -> Renaming | None:
    stem = _SUFFIX.sub("", image)
    for end in (image, stem):
        if path.endswith(end):
            return Renaming(find, path[: len(path) - len(end)], 0, image[len(end) :])
    if stem.isdecimal() and path.isdecimal() and int(stem) == int(path):
        return Renaming(find, "", len(stem), image[len(stem) :])
    return None
