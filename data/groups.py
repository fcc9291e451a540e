"""Which images belong together: of one patient, specimen or burst, or the same picture twice."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from data.errors import InputError, name_some
from data.names.fit import fit_images
from data.tables.reader import column_names, read_table


class GroupNames(NamedTuple):
    """The groups that a table names."""

    names: tuple[str, ...]
    """N; empty for an image that no row names."""
    notices: tuple[str, ...]


def read_groups(given: str, votes: Path, images: Sequence[str]) -> GroupNames:
    """Reads the group of each image.

    Args:
        given: a table with the column image and one more (group, where there are several), or the name of a column of
            `votes`.
        votes: the vote table.
        images: N names.

    Raises:
        InputError: no such file or column, or an image in two groups.
    """
    path, column = _find_column(given, votes)
    table = read_table(path, "Table of groups", ("image", column), ())
    absent = [name for name in ("image", column) if name not in table.rows]
    if absent:
        raise InputError(f"{path} names no groups: it lacks the column(s) {name_some(absent)}.")
    rows = table.rows[["image", column]].apply(lambda values: values.str.strip())
    fitted = fit_images(rows, path.name, images, all_there=False)
    there = fitted.rows[fitted.rows["image"].isin(images) & (fitted.rows[column] != "")].drop_duplicates()
    twice = there[there["image"].duplicated(keep=False)]
    if len(twice):
        listed = [f"{image} ({', '.join(rows[column])})" for image, rows in twice.groupby("image")]
        raise InputError(f"{path}: {len(listed)} image(s) are in several groups: {name_some(listed, 5)}. Name one.")
    found = dict(zip(there["image"], there[column], strict=True))
    if not found:
        raise InputError(f"{path} gives none of the {len(images)} images a group in its column {column}.")
    names = tuple(found.get(image, "") for image in images)
    without = [image for image in images if image not in found]
    notice = f"{path.name}: {len(without)} image(s) have no group and stand alone: {name_some(without, 3)}"
    return GroupNames(names, (*table.notices, *fitted.notices, *((notice,) if without else ())))


def _find_column(given: str, votes: Path) -> tuple[Path, str]:
    """File and column (in the spelling of `read_table`) that `--groups` names."""
    path = Path(given).expanduser()
    if not path.is_file():
        if not votes.is_file() or Path(given).suffix.lower() in (".csv", ".tsv", ".parquet"):
            raise InputError(f"--groups {given}: there is no such file; give a table image, group.")
        names = [name.strip().casefold() for name in column_names(votes, "Vote table")]
        if given.strip().casefold() not in names:
            raise InputError(
                f"--groups {given} is neither a file nor a column of {votes}, which has {name_some(names)}."
            )
        return votes, given.strip().casefold()
    names = [name.strip().casefold() for name in column_names(path, "Table of groups")]
    others = [name for name in names if name != "image"]
    if "group" not in others and len(others) != 1:
        raise InputError(f"{path} must have the columns image and group; it has {name_some(names)}.")
    return path, "group" if "group" in others else others[0]


def key_images(
    images: Sequence[str], digests: Sequence[str], groups: Sequence[str] = (), near: np.ndarray | None = None
) -> np.ndarray:
    """(N,) one key for all images that belong together: equal where images share a group, their bytes, or are linked.

    Links are followed: of three images, of which the second is near to both others, all three are together. The key is
    made of the group's name, else of the image's content, so it changes with no other image; where links join
    several groups or images, one of theirs is taken, the same one as long as they are the same.

    Args:
        images: N names, used where there are no digests.
        digests: N, of the images' bytes, or none.
        groups: N names, empty where an image has none; or none at all.
        near: (P, 2) row numbers of images to be kept together.
    """
    content = [f"image {digest}" for digest in digests or images]
    own = [
        f"group {group}" if group else each for group, each in zip(groups or [""] * len(images), content, strict=True)
    ]
    links = [near if near is not None else np.empty((0, 2), np.int64)]
    for names in (own, content):
        numbers = pd.factorize(np.array(names, dtype=object))[0]
        order = numbers.argsort(kind="stable")
        same = numbers[order][1:] == numbers[order][:-1]
        links.append(np.column_stack([order[:-1][same], order[1:][same]]))
    pairs = np.concatenate(links)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(images), len(images)))
    parts = connected_components(graph, directed=False)[1]
    # by hash, not by name: which member names the group must not hang on what the lab calls its images
    hashed = np.array([hashlib.blake2b(name.encode(), digest_size=16).hexdigest() for name in own])
    keys = pd.Series(hashed).groupby(parts).transform("min")
    return keys.to_numpy().astype(str)
