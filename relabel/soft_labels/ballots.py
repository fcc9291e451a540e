"""What soft labels are estimated from: the votes one by one, what was shown with each, and what a model says."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.votes.reader import MOST_VOTES, describe_reserved
from data.votes.repeats import TIMES, drop_repeats
from relabel.standing import standing_votes

NOTHING = -1
"""In place of a number: no proposal was shown, or the annotator is not known."""

MOST_TOGETHER = 50_000_000
"""Votes that fit into memory one by one."""


class Ballots(NamedTuple):
    """M votes on N images over k classes; every image has at least one."""

    images: tuple[str, ...]
    """N names."""
    classes: tuple[str, ...]
    """k names."""
    image: np.ndarray
    """(M,) row number of the image voted on."""
    label: np.ndarray
    """(M,) class number given."""
    annotator: np.ndarray
    """(M,) number of the annotator, `NOTHING` where the table names none."""
    shown: np.ndarray
    """(M,) class number of the proposal that the annotator saw, `NOTHING` where none was shown."""
    blend_with: np.ndarray | None = None
    """(k, k) mean soft label of each class, measured elsewhere; None estimates it from these votes."""
    probabilities: np.ndarray | None = None
    """(N, k) what a model says of each image, p_n."""
    notices: tuple[str, ...] = ()
    """Which rows of the tables do not count, in words."""

    @property
    def counts(self) -> np.ndarray:
        """(N, k) int64 raw votes."""
        counts = np.zeros((len(self.images), len(self.classes)), np.int64)
        np.add.at(counts, (self.image, self.label), 1)
        return counts


def gather_ballots(tables: Sequence[pd.DataFrame], classes: Sequence[str] = ()) -> Ballots:
    """Joins vote tables (`data.votes.reader`) and verdict tables (`data.verdicts`) into one set of ballots.

    The verdicts that count are those that `dc3 merge` takes over (`relabel.standing`), and an answer that stands in a
    merged table as well counts once. Images without a vote (all excluded or skipped) are left out. A proposal counts
    as shown where the outcome is accepted or changed.

    Args:
        tables: in the order of their rounds.
        classes: k names; empty means those voted for or shown, sorted.

    Raises:
        InputError: every fault at once: no vote, unknown or empty class, votes that are no positive whole number.
    """
    raw = [_to_columns(table) for table in tables if "outcome" not in table]
    verdicts = [table for table in tables if "outcome" in table]
    notices: tuple[str, ...] = ()
    if verdicts:
        standing = standing_votes(pd.concat(verdicts, ignore_index=True))
        raw.append(_from_verdicts(standing.votes))  # last: of answers that stand there twice it tells what was shown
        notices = standing.describe()
    if not raw:
        raise InputError("Soft labels need at least one table of votes or verdicts.")
    once = drop_repeats(pd.concat(raw, ignore_index=True), "The tables together")
    votes, notices = once.rows.reset_index(drop=True), (*notices, *once.notices)
    names = tuple(classes) or tuple(sorted(set(votes["label"]) | set(votes["shown"]) - {""}))
    faults = _list_faults(votes, names)
    if faults:
        raise InputError("The votes cannot be used:\n- " + "\n- ".join(faults))
    votes = votes.loc[votes.index.repeat(votes["votes"].astype(int))]
    images = tuple(sorted(votes["image"].unique()))
    annotators = pd.Index(sorted(set(votes["annotator"]) - {""}))
    return Ballots(
        images,
        names,
        pd.Index(images).get_indexer(votes["image"]),
        pd.Index(names).get_indexer(votes["label"]),
        annotators.get_indexer(votes["annotator"]),
        pd.Index(names).get_indexer(votes["shown"]),
        notices=notices,
    )


def require_annotators(ballots: Ballots, purpose: str) -> None:
    """Raises InputError when a vote does not name its annotator."""
    unnamed = int((ballots.annotator == NOTHING).sum())
    if unnamed:
        raise InputError(
            f"{purpose} weighs annotators, so every vote must name one; {unnamed} of {len(ballots.annotator)} votes "
            "name none. Give tables with a column annotator, or choose another estimator."
        )


_COLUMNS = ["image", "label", "votes", "annotator", "shown", "round", "at"]


def _to_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Columns `_COLUMNS` of a vote table; annotator, shown, round and time empty where nothing is known."""
    filled = {name: table.get(name, "") for name in ("annotator", "shown", "round")}
    time = next((table[name] for name in TIMES if name in table), "")
    return table.assign(**filled, votes=table.get("votes", 1), at=time)[_COLUMNS]


def _from_verdicts(voted: pd.DataFrame) -> pd.DataFrame:
    was_shown = voted["outcome"].isin(("accepted", "changed"))
    shown = voted["proposal"].where(was_shown, "")
    return voted.assign(votes=1, shown=shown, round=voted["round"].astype(str))[_COLUMNS]


def _list_faults(votes: pd.DataFrame, classes: tuple[str, ...]) -> list[str]:
    if votes.empty:
        return ["the tables hold no row with a label, so there is nothing to estimate from"]
    faults = []
    strange = sorted((set(votes["label"]) | set(votes["shown"]) - {""}) - set(classes) - {""})
    if strange:
        faults.append(f"label(s) or proposal(s) {name_some(strange)} that are none of {name_some(classes)}")
    unlabelled = votes["image"][votes["label"] == ""]
    if len(unlabelled):
        faults.append(f"empty label(s): {name_some(list(unlabelled))}")
    numbers = pd.to_numeric(votes["votes"], errors="coerce")
    bad = votes[~(numbers.between(1, MOST_VOTES) & numbers.mod(1).eq(0))]
    if len(bad):
        rows = [f"{row.image} -> {row.label}: {row.votes}" for row in bad.itertuples()]
        faults.append(f"votes must be whole numbers from 1 up to {MOST_VOTES:,}; row(s) {name_some(rows)}")
    elif numbers.sum() > MOST_TOGETHER:
        faults.append(
            f"{numbers.sum():,.0f} votes are more than can be weighed one by one ({MOST_TOGETHER:,}): leave out images,"
            " or divide the counts"
        )
    faults += describe_reserved(classes)
    if len(set(classes) - {""}) < 2:
        faults.append(f"at least two classes are needed, found {name_some(classes) or 'none'}")
    return faults
