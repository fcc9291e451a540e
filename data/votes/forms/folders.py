"""Folders of images whose places say the class: by class, by annotator and class, the DC3 data sets as published."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd

from data.errors import InputError, name_some
from data.votes.forms.form import LIKELY, SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions

PARTS = frozenset({"train", "val", "unlabeled", "test"})
"""Of a DC3 data set; the first two are always there."""


class ClassFolders(Form):
    """cat/1.png: a vote an image, for the class that the folder is called."""

    meaning = "folders called by class"

    def recognises(self, given: Given) -> Claim | None:
        if given.files is None or _is_dc3(given) or _by_annotator(given):
            return None
        tops = {parts[0] for parts in _split(given) if len(parts) > 1}
        return Claim(LIKELY, f"images lie in folders {name_some(sorted(tops), 5)}") if tops else None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        rows = [("/".join(parts), parts[0]) for parts in _split(given) if len(parts) > 1]
        return _answer(rows, ["image", "label"], given, 2)


class AnnotatorFolders(Form):
    """anna/cat/1.png, ben/dog/1.png: a vote a copy, by the annotator whose folder it lies in."""

    meaning = "a folder an annotator, in it folders called by class"

    def recognises(self, given: Given) -> Claim | None:
        if given.files is None or _is_dc3(given) or not _by_annotator(given):
            return None
        return Claim(LIKELY, "the same images lie in folders of the same names, once for each annotator")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        rows = [("/".join(parts[2:]), parts[1], parts[0]) for parts in _split(given) if len(parts) > 2]
        return _answer(rows, ["image", "label", "annotator"], given, 3)


class Dc3Folders(Form):
    """train/cat/1.png: the four data sets of the paper as published; a hard label an image."""

    meaning = "DC3 data set (train, val, unlabeled, test; in each folders called by class)"

    def recognises(self, given: Given) -> Claim | None:
        return Claim(SURE, "it has folders train and val, in them folders by class") if _is_dc3(given) else None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        rows = [("/".join(parts), parts[1]) for parts in _split(given) if len(parts) > 2 and parts[0] in PARTS]
        answers = _answer(rows, ["image", "label"], given, 3)
        text = (
            f"{given.path}: each image has the one label of its folder, those of unlabeled too, and the parts are not"
            " kept: training makes its own"
        )
        return answers._replace(notices=(*answers.notices, text))


def _split(given: Given) -> list[tuple[str, ...]]:
    if given.files is None:
        raise InputError(f"Vote table {given.path} is no folder.")
    return [PurePosixPath(file).parts for file in given.files]


def _is_dc3(given: Given) -> bool:
    if given.files is None:
        return False
    tops = {parts[0] for parts in _split(given)}
    return {"train", "val"} <= tops <= PARTS and all(len(parts) > 2 for parts in _split(given))


def _by_annotator(given: Given) -> bool:
    """Whether the second folders, and images in them, are the same below several first ones."""
    splits = [parts for parts in _split(given) if len(parts) > 2]
    tops = {parts[0] for parts in splits}
    if len(tops) < 2 or len(splits) < len(given.files or ()):
        return False
    seen: dict[str, set[str]] = {}
    classes: dict[str, set[str]] = {}
    for parts in splits:
        seen.setdefault("/".join(parts[2:]), set()).add(parts[0])
        classes.setdefault(parts[1], set()).add(parts[0])
    shared = sum(len(found) > 1 for found in seen.values())
    return shared >= len(seen) / 2 and any(len(found) > 1 for found in classes.values())


def _answer(rows: Sequence[tuple[str, ...]], columns: list[str], given: Given, depth: int) -> Answers:
    if not rows:
        raise InputError(f"{given.path} has no image {depth - 1} folder(s) deep, whose place would say its class.")
    left = len(given.files or ()) - len(rows)
    notices = (f"{given.path}: {left} image(s) that lie in no folder of a class have no vote",) if left else ()
    return Answers(pd.DataFrame(rows, columns=columns, dtype=object), notices)
