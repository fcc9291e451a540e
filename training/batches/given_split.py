"""A split that the user made: a table image, part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.errors import InputError, name_some
from data.names.fit import fit_images, name_unknown
from data.tables.reader import read_table
from data.votes.counts import is_voted
from training.batches.split import PARTS, Split

TRAIN = "train"
"""Labelled where an image has votes, unlabelled where it has none."""
_WAITING = PARTS.index("waiting")


def read_split(path: Path, images: Sequence[str], counts: np.ndarray) -> tuple[Split, tuple[str, ...]]:
    """Reads the part of each image, and what of it a person should know.

    Images of validation and test that have no votes cannot measure, and wait.

    Args:
        path: a table with the columns image and part: train, validation, test, labelled, unlabelled or waiting. The
            split.csv of a run is one.
        images: N names.
        counts: (N, k) votes.

    Raises:
        InputError: every fault at once: other parts, unknown images, images missing or in two parts, labelled ones
            without votes.
    """
    table = read_table(path, "Split", ("image", "part"), ())
    absent = [name for name in ("image", "part") if name not in table.rows]
    if absent:
        raise InputError(f"The split {path} lacks the column(s) {name_some(absent)}: write one row image, part each.")
    rows = table.rows[["image", "part"]].assign(part=table.rows["part"].str.strip().str.casefold())
    fitted = fit_images(rows, path.name, images)
    rows = fitted.rows.drop_duplicates()
    voted = is_voted(counts)
    faults = _find_faults(rows["image"].tolist(), rows["part"].tolist(), images, voted)
    faults += [fault.removeprefix("votes for ") for fault in name_unknown(rows, images)]
    if faults:
        raise InputError(f"The split {path} cannot be used:\n- " + "\n- ".join(faults))
    given = dict(zip(rows["image"], rows["part"], strict=True))
    parts = np.array([given[image] for image in images], dtype="<U10")
    parts[parts == TRAIN] = np.where(voted, "labelled", "unlabelled")[parts == TRAIN]
    parts[np.isin(parts, ("validation", "test")) & ~voted] = "waiting"
    return Split(*(np.flatnonzero(parts == part) for part in PARTS)), (*table.notices, *fitted.notices)


def _find_faults(named: list[str], parts: list[str], images: Sequence[str], voted: np.ndarray) -> list[str]:
    faults = []
    strange = sorted(set(parts) - {*PARTS, TRAIN})
    if strange:
        faults.append(f"unknown part(s) {name_some(list(map(repr, strange)))}: known are {TRAIN}, {', '.join(PARTS)}")
    twice = sorted({image for image in named if named.count(image) > 1}) if len(set(named)) < len(named) else []
    if twice:
        faults.append(f"{len(twice)} image(s) in two parts: {name_some(twice, 5)}")
    missing = sorted(set(images) - set(named))
    if missing:
        faults.append(f"{len(missing)} of {len(images)} images have no part: {name_some(missing, 5)}")
    votes = dict(zip(images, voted.tolist(), strict=True))
    empty = [
        image for image, part in zip(named, parts, strict=True) if part == "labelled" and not votes.get(image, True)
    ]
    if empty:
        faults.append(
            f"{len(empty)} labelled image(s) without votes: {name_some(empty, 5)}; write {TRAIN} or unlabelled"
        )
    return faults
