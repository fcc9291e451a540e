"""Counts of images, votes and classes, duplicates and what keeps the data from being trained on (paper, Table 1)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.duplicates import find_near
from data.errors import InputError, name_some
from data.groups import key_images
from data.ingest import Dataset
from data.votes.counts import is_ambiguous, is_tied, is_voted, majority, soft_labels
from training.batches.divide import divide
from training.batches.split import PARTS
from training.options import SplitOptions

BORDER = 0.8
"""Share of the votes below which the leading class no longer counts as agreed: stray votes among many are not doubt."""
NAMED = 5


class ClassFacts(NamedTuple):
    """One class of the data."""

    name: str
    images: int
    """With this class as their majority, ties drawn as in a training."""
    votes: int
    disputed: int
    """Of `images`, those with a vote for another class as well."""
    labelled: int
    """Of `images`, those in the labelled part; 0 where no split can be made."""


class DataFacts(NamedTuple):
    """What was understood of the data, and what a training would use."""

    n_images: int
    n_voted: int
    n_votes: int
    n_annotators: int | None
    """None where the table has counts, or votes without names."""
    classes: tuple[ClassFacts, ...]
    n_tied: int
    disputed_any: float
    """Share of the images with two votes or more whose annotators disagree (Table 1's prior); NaN where none has."""
    disputed_border: float
    """The same share where the leading class has less than BORDER of the votes."""
    votes_each: tuple[int, float, int]
    """Fewest, mean and most votes of a voted image; zeros where none is."""
    parts: dict[str, int]
    """Images of each part; empty where no split can be made."""
    equal: tuple[tuple[str, ...], ...]
    """Groups of images of equal content."""
    near: tuple[tuple[str, ...], ...]
    """Groups of near duplicates that are not all equal."""
    crossing: tuple[tuple[str, ...], ...]
    """Those of `near` and `equal` that lie in several parts: the model is measured on what it learnt."""
    left_out: tuple[str, ...]
    notices: tuple[str, ...]
    faults: tuple[str, ...]
    """Why it cannot be trained on; empty where it can."""


def gather_facts(
    dataset: Dataset, table: pd.DataFrame, votes: str, options: SplitOptions, seed: int, skips_bad_images: bool
) -> DataFacts:
    """Counts, with the split that a training with these options would make.

    Args:
        dataset: read with unreadable images left out.
        table: the source's long vote table.
        votes: path of it.
        skips_bad_images: whether a training would leave them out, too; it stops otherwise.
    """
    faults = []
    if dataset.left_out and not skips_bad_images:
        faults.append(f"{len(dataset.left_out)} image(s) cannot be read: mend or remove them, or --skip-bad-images")
    split = None
    if not is_voted(dataset.counts).any():
        faults.append("no image has a vote: name the vote table by --votes")
    else:
        try:
            dataset, split = divide(dataset, options, votes, seed)
        except InputError as error:
            faults.append(str(error))
    parts = split.part_names(len(dataset.names)) if split else None
    equal = _group(dataset.names, key_images(dataset.names, dataset.digests))
    near = _group(dataset.names, key_images(dataset.names, dataset.digests, near=find_near(dataset.images)))
    counts, voted = dataset.counts, is_voted(dataset.counts)
    several = counts[counts.sum(1) > 1]
    each = counts.sum(1)[voted]
    return DataFacts(
        len(dataset.names),
        int(voted.sum()),
        int(counts.sum()),
        _count_annotators(table),
        _describe_classes(dataset, parts, seed),
        int(is_tied(counts).sum()),
        _share(is_ambiguous(several)),
        _share(soft_labels(several).max(1) < BORDER) if len(several) else float("nan"),
        (int(each.min()), float(each.mean()), int(each.max())) if len(each) else (0, 0.0, 0),
        {part: int((parts == part).sum()) for part in PARTS} if parts is not None else {},
        equal,
        tuple(group for group in near if group not in equal),
        _find_crossing(near, dataset.names, parts),
        dataset.left_out,
        dataset.notices,
        tuple(faults),
    )


def _share(flags: np.ndarray) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _count_annotators(table: pd.DataFrame) -> int | None:
    names = table["annotator"].dropna() if "annotator" in table else pd.Series(dtype=object)
    return int(names[names != ""].nunique()) or None


def _describe_classes(dataset: Dataset, parts: np.ndarray | None, seed: int) -> tuple[ClassFacts, ...]:
    counts, voted = dataset.counts, is_voted(dataset.counts)
    labels = majority(counts, dataset.names, seed)
    disputed = is_ambiguous(counts)
    labelled = parts == "labelled" if parts is not None else np.zeros(len(labels), bool)
    found = []
    for number, name in enumerate(dataset.classes):
        mine = voted & (labels == number)
        sizes = (mine.sum(), counts[:, number].sum(), (mine & disputed).sum(), (mine & labelled).sum())
        found.append(ClassFacts(name, *(int(size) for size in sizes)))
    return tuple(found)


def _group(names: Sequence[str], keys: np.ndarray) -> tuple[tuple[str, ...], ...]:
    """The images that share a key with another."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, key in zip(names, keys.tolist(), strict=True):
        groups[key].append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _find_crossing(
    groups: Sequence[tuple[str, ...]], names: Sequence[str], parts: np.ndarray | None
) -> tuple[tuple[str, ...], ...]:
    if parts is None:
        return ()
    part_of = dict(zip(names, parts.tolist(), strict=True))
    # images without votes lie on the side of the voted ones: nothing is measured on what was learnt
    side = {part: part for part in PARTS} | {"unlabelled": "labelled", "waiting": "validation"}
    crossing = []
    for group in groups:
        sides = {side[part_of[name]] for name in group}
        # an image of a stable test part waits for its votes, too
        tests = all(part_of[name] in ("test", "waiting") for name in group)
        if len(sides) > 1 and not tests:
            crossing.append(group)
    return tuple(crossing)


def describe_facts(facts: DataFacts) -> list[tuple[str, str]]:
    """(what, value) in the order to show, in words."""
    fewest, mean, most = facts.votes_each
    smallest, largest = _extreme_shares(facts)
    annotators = "no names in the table" if facts.n_annotators is None else f"{facts.n_annotators:,}"
    rows = [
        ("images", f"{facts.n_images:,}"),
        ("images with votes", f"{facts.n_voted:,}"),
        ("votes", f"{facts.n_votes:,}"),
        ("votes an image", f"{mean:.1f} (fewest {fewest}, most {most})" if facts.n_voted else "none"),
        ("annotators", annotators),
        ("classes", f"{len(facts.classes)}"),
        ("smallest and largest class", f"{smallest:.2%} and {largest:.2%} of the images with votes"),
        ("tied", f"{facts.n_tied:,} images with several leading classes"),
        ("disputed, any other vote", _percent(facts.disputed_any)),
        (f"disputed, leading class below {BORDER:.0%}", _percent(facts.disputed_border)),
    ]
    if facts.parts:
        rows.append(("parts", ", ".join(f"{part} {size:,}" for part, size in facts.parts.items() if size)))
    rows += [("equal images", _describe_groups(facts.equal)), ("near duplicates", _describe_groups(facts.near))]
    if facts.crossing:
        rows.append(("... in several parts", _describe_groups(facts.crossing)))
    rows.append(("images left out", f"{len(facts.left_out):,}"))
    return rows


def _percent(share: float) -> str:
    return "no image has two votes" if np.isnan(share) else f"{share:.1%} of the images with two votes or more"


def _extreme_shares(facts: DataFacts) -> tuple[float, float]:
    sizes = [entry.images for entry in facts.classes] or [0]
    return min(sizes) / max(facts.n_voted, 1), max(sizes) / max(facts.n_voted, 1)


def _describe_groups(groups: Sequence[tuple[str, ...]]) -> str:
    if not groups:
        return "none"
    return f"{len(groups)} group(s): {name_some([' = '.join(group[:NAMED]) for group in groups], NAMED)}"
