"""The split that a configuration asks for: the paper's, the stable one, or the user's table."""

from pathlib import Path

import numpy as np

from data.duplicates import find_near
from data.errors import InputError, name_some
from data.groups import key_images, read_groups
from data.ingest import Dataset
from training.batches.given_split import read_split
from training.batches.split import PAPER, STABLE, Split, SplitOptions, split_images
from training.batches.stable_split import check_parts, describe_gaps, split_stably
from training.batches.votes_used import count_used


def divide(dataset: Dataset, options: SplitOptions, votes: str, seed: int) -> tuple[Dataset, Split]:
    """The split, and the data set with what a person should know of it among its notices.

    Args:
        votes: path of the vote table, for a column of groups.

    Raises:
        InputError: what `split_images`, `split_stably`, `read_split` and `read_groups` refuse, and groups that a table
            of the user's parts.
    """
    counts, names, classes = dataset.counts, dataset.names, dataset.classes
    if options.split == PAPER:
        if options.groups:
            raise InputError("The paper's split parts groups: with --groups take --split stable, or your own table.")
        split = split_images(counts, names, classes, options, seed)
        return note_use(dataset, split, options), split
    groups, notices = read_groups(options.groups, Path(votes), names) if options.groups else ((), ())
    near = find_near(dataset.images) if options.near_duplicates else np.empty((0, 2), np.int64)
    if options.split == STABLE:
        keys = key_images(names, dataset.digests, groups, near)
        split = split_stably(counts, names, keys, classes, options, seed)
        notices = (*notices, *_describe_together(keys, near))
    else:
        path = Path(options.split).expanduser()
        if not path.is_file():
            raise InputError(
                f"--split {options.split}: must be {PAPER}, {STABLE} or a table image, part; no such file."
            )
        split, found = read_split(path, names, counts)
        check_parts(split, counts, names, classes, options, seed)
        crossing = _find_crossing(split, key_images(names, dataset.digests, near=near), names)
        if groups:
            _refuse_crossing(split, np.array(groups), names)
        twins = f"{len(crossing)} time(s) near or exact duplicates are in different parts of {path.name}: "
        notices = (*notices, *found, *((twins + name_some(crossing, 3),) if crossing else ()))
    gaps = describe_gaps(split, counts, names, classes, seed)
    dataset = dataset._replace(notices=(*dataset.notices, *notices, *((gaps,) if gaps else ())))
    return note_use(dataset, split, options), split


def note_use(dataset: Dataset, split: Split, options: SplitOptions) -> Dataset:
    """The data set with a notice of how many of its votes train."""
    used = count_used(dataset.counts, split.part_names(len(dataset.names)), options.labels)
    return dataset._replace(notices=(*dataset.notices, used.describe()))


def _describe_together(keys: np.ndarray, near: np.ndarray) -> tuple[str, ...]:
    if not len(near):
        return ()
    largest = int(np.unique(keys, return_counts=True)[1].max())
    text = (
        f"{len(np.unique(near))} images are near duplicates of others and stay in one part with them; the largest set"
        f" that stays together has {largest} images (--no-near-duplicates parts them)"
    )
    return (text,)


def _find_crossing(split: Split, keys: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """Sets of images, in words, that both train and measure, or lie in validation and test."""
    side = np.zeros(len(names), int)
    side[split.validation], side[split.test] = 1, 2
    side[split.waiting] = 3
    crossing = []
    order = keys.argsort(kind="stable")
    starts = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
    for members in np.split(order, starts):
        found = set(side[members].tolist())
        if len(found) > 1 and (0 in found or {1, 2} <= found):  # what waits will measure
            crossing.append(" and ".join(names[row] for row in members[:3]))
    return crossing


def _refuse_crossing(split: Split, groups: np.ndarray, names: tuple[str, ...]) -> None:
    keys = np.where(groups == "", np.char.add("\0", np.array(names)), groups)
    crossing = _find_crossing(split, keys, names)
    if crossing:
        raise InputError(
            f"{len(crossing)} group(s) are in different parts of the split: {name_some(crossing, 3)}. Put all images of"
            " a group into one part, or leave out --groups."
        )
