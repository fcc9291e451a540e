"""Joins the votes of before with annotators' verdicts: the next round's vote table. Neither is changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError, name_some
from data.names.matching import describe_unknown, fold
from data.proposals import Origin
from data.tables.columns import COLUMNS
from data.verdicts import votes_of
from data.votes.counts import ambiguous_share, is_voted, leading
from data.votes.reader import ROUND, count_votes
from data.votes.rounds import Round, VerdictFile, attach_round, read_round
from relabel.standing import Standing, standing_votes


@dataclass(frozen=True)
class MergeOptions:
    """Which votes count."""

    drop_bulk: bool = False
    """Leave out labels that a tool copied and no human looked at one by one."""
    replace: bool = False
    """Where an image has new votes, drop those of before."""


class Merged(NamedTuple):
    """The next round's votes, and what changed."""

    votes: pd.DataFrame
    """Columns of `data.tables.columns.COLUMNS` and round: votes of before, then one row a verdict."""
    n_before: int
    """Votes of before that still count."""
    standing: Standing
    """The verdicts that carry a label and were taken over, and what was left out."""
    new_images: int
    """Images with new votes."""
    changed_majority: int
    """Of those that had votes before: other classes lead."""
    lost_classes: tuple[str, ...]
    """Classes that had votes before and have none now."""
    ambiguous_before: float
    """Share of the voted images whose votes disagree, 0 to 1."""
    ambiguous_after: float


def merge(
    votes: pd.DataFrame, verdicts: pd.DataFrame, images: Sequence[str], about: Origin, options: MergeOptions
) -> Merged:
    """Joins votes and verdicts.

    Verdicts without a label (excluded, skipped) give no vote.

    Args:
        votes: as `data.votes.reader.read_votes` returns them.
        verdicts: as `data.verdicts.read_verdicts` returns them.
        images: names of the images that were proposed.
        about: of the proposals that were judged.

    Raises:
        InputError: every fault at once: unknown images or classes, verdicts on another run's proposals, faulty votes.
    """
    _check(verdicts, set(images) | set(votes["image"]), about)
    standing = standing_votes(verdicts, drop_bulk=options.drop_bulk)
    counted = standing.votes
    before = _to_columns(votes)
    kept = before[~before["image"].isin(counted["image"])] if options.replace else before
    merged = pd.concat([kept, _to_columns(counted)], ignore_index=True)
    names = sorted(set(images) | set(votes["image"]))
    old, new = (count_votes(table, names, about.classes, all_voted=False).counts for table in (before, merged))
    changed = (leading(old) != leading(new)).any(1)
    touched = pd.Index(names).isin(counted["image"])
    return Merged(
        votes=merged,
        n_before=int(pd.to_numeric(kept["votes"]).sum()),
        standing=standing,
        new_images=int(touched.sum()),
        changed_majority=int(np.sum(touched & is_voted(old) & changed)),
        lost_classes=tuple(np.array(about.classes)[(old.sum(0) > 0) & (new.sum(0) == 0)].tolist()),
        ambiguous_before=ambiguous_share(old),
        ambiguous_after=ambiguous_share(new),
    )


def describe_round(votes: Path, verdicts: Sequence[Path], about: Origin) -> Round:
    """The record of this merge: its round, the run that proposed, and all verdict files with their digests.

    Raises InputError where `votes` hold this round, or one of the files, already: they would count twice.
    """
    earlier = read_round(votes)
    files = tuple(VerdictFile(path.name, _digest(path)) for path in verdicts)
    known = earlier.verdicts if earlier else ()
    digests = {file.sha256 for file in known}
    twice = [file.name for file in files if file.sha256 in digests]
    if twice:
        raise InputError(f"{votes} holds the verdicts of {name_some(twice)} already: leave them out.")
    if earlier and earlier.number >= about.round:
        raise InputError(
            f"{votes} is the result of round {earlier.number}, and these are proposals of round {about.round}: a round"
            " is merged at once. Give the votes of before that round, and all its verdict files."
        )
    return Round(about.round, about.model_version, (*known, *files))


def write_merged(votes: pd.DataFrame, merged: Round, path: Path) -> None:
    """Writes the next round's votes as Parquet with the record of the round; `path` is whole or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    pq.write_table(attach_round(pa.Table.from_pandas(votes, preserve_index=False), merged), part)
    part.replace(path)


def _check(verdicts: pd.DataFrame, images: set[str], about: Origin) -> None:
    faults = []
    unknown = sorted(set(verdicts["image"]) - images)
    if unknown:
        faults.append(f"{len(unknown)} image(s) that are neither proposed nor voted on: {name_some(unknown)}")
    strange = sorted(set(verdicts["label"]) - set(about.classes) - {""})
    if strange:
        faults.append(f"label(s) {name_some(strange)} that are none of the classes {name_some(about.classes)}")
    others = sorted(set(verdicts["model_version"]) - {about.model_version})
    if others:
        faults.append(f"answers to proposals of other runs than {about.model_version}: {name_some(others)}")
    if not len(votes_of(verdicts)):
        faults.append("no verdict carries a label")
    if faults:
        raise InputError("The verdicts cannot be merged:\n- " + "\n- ".join(faults))


def refuse_strangers(votes: pd.DataFrame, images: Sequence[str], source: str) -> tuple[str, ...]:
    """Votes on none of the proposed images, in words: those may all be new, or named otherwise.

    Raises InputError where images of both have almost the same name.
    """
    names = votes["image"].drop_duplicates()
    if names.isin(images).any():
        return ()
    none = f"{source} has votes on none of the {len(images)} proposed images, but on"
    folded = {fold(image): image for image in images}
    alike = [f"{name}, almost {folded[fold(name)]}" for name in names if fold(name) in folded]
    if alike:
        raise InputError(f"{none} {'; '.join(alike[:3])} ({len(alike)} in all). Name the images as the proposals do.")
    shown = describe_unknown(list(names), images, 3)
    return (
        f"none of the {len(images)} proposed images has votes in {source} so far, which is right where they are new; it"
        f" has votes on {shown}: where these are the same images, name them as the proposals do",
    )


def _to_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a vote table; what is not known is an empty name, no time, one vote, round 0."""
    filled = {"annotator": table.get("annotator", ""), "votes": table.get("votes", 1)}
    seconds = pd.to_numeric(table["seconds"]) if "seconds" in table else np.nan
    rounds = pd.to_numeric(table[ROUND], errors="coerce").fillna(0).astype(int) if ROUND in table else 0
    return table.assign(**filled, seconds=seconds, round=rounds)[[*COLUMNS, ROUND]]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
