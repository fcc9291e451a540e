"""Votes that say 'cannot tell': kept and reported, but no class."""

import difflib
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from data.errors import name_some
from data.tables.columns import IGNORED
from data.votes.labels import label_key

_TRUE = frozenset({"true", "1", "yes"})


class Parted(NamedTuple):
    """A table in two."""

    rows: pd.DataFrame
    """What counts."""
    ignored: pd.DataFrame
    """What says 'cannot tell'; the same columns."""
    notices: tuple[str, ...] = ()


def part_ignored(rows: pd.DataFrame, source: str, labels: Sequence[str]) -> Parted:
    """Takes out the votes for `labels`, and those that column `ignored` marks, as an earlier reading wrote it.

    Labels are compared as classes are, without case and spaces; one item may name several with commas between.
    """
    said = rows[IGNORED].astype(str).str.strip().str.casefold().isin(_TRUE) if IGNORED in rows else False
    rows = rows.drop(columns=IGNORED, errors="ignore")
    keys = rows["label"].map({label: label_key(label) for label in rows["label"].unique()})
    wanted = {label_key(label): label for item in labels for label in _split(item, set(keys))}
    mask = keys.isin(list(wanted)) | said
    notices = []
    lacking = [label for key, label in wanted.items() if key not in set(keys)]
    if lacking:
        known = sorted(map(str, rows["label"].unique()))
        near = [match for label in lacking for match in difflib.get_close_matches(label, known, n=1)]
        hint = f"; near are {name_some(near)}" if near else ""
        notices.append(f"{source}: no vote has the label(s) to ignore {name_some(lacking)}{hint}")
    if mask.any():
        notices.append(_describe(rows, mask, source))
    return Parted(rows[~mask], rows[mask], tuple(notices))


def mark_ignored(rows: pd.DataFrame, ignored: pd.DataFrame) -> pd.DataFrame:
    """One table again, to be written: all rows, and column `ignored` where any say 'cannot tell'."""
    if not len(ignored):
        return rows
    unknown: dict[str, object] = {"annotator": "", "votes": 1, "round": 0}
    lacking = {name: unknown.get(str(name)) for name in rows.columns if name not in ignored}
    kept = ignored.assign(**lacking)[list(rows.columns)]
    if "seconds" in rows:
        kept = kept.assign(seconds=pd.to_numeric(kept["seconds"], errors="coerce"))
    return pd.concat([rows.assign(**{IGNORED: False}), kept.assign(**{IGNORED: True})], ignore_index=True)


def _split(item: str, keys: set[str]) -> list[str]:
    """The labels of one item: itself where a label is spelled so, comma and all."""
    if label_key(item) in keys:
        return [item]
    return [part.strip() for part in item.split(",") if part.strip()]


def _describe(rows: pd.DataFrame, mask: pd.Series, source: str) -> str:
    ignored = rows[mask]
    votes = int(pd.to_numeric(ignored["votes"], errors="coerce").sum()) if "votes" in rows else len(ignored)
    none_left = ~ignored["image"].drop_duplicates().isin(rows["image"][~mask])
    return (
        f"{source}: {votes} vote(s) {name_some(sorted(ignored['label'].unique()))} count as 'cannot tell' and are no"
        f" class; {int(none_left.sum())} image(s) have no other vote and train without a label"
    )
