"""Verdicts that stand in the votes of before already: a merged round must not count twice."""

from functools import reduce
from operator import or_

import pandas as pd

from data.errors import InputError
from data.votes.reader import ROUND
from relabel.standing import standing_votes

_DECIMALS = (0, 1, 2, 3)
"""To which a spreadsheet may have rounded a time."""
_FEW = 10
"""Verdicts that an annotator's votes of before may all repeat by chance."""


def refuse_known(votes: pd.DataFrame, verdicts: pd.DataFrame, round_: int) -> tuple[str, ...]:
    """Refuses votes without a record of their round, a CSV copy say, that hold these verdicts already.

    A verdict stands in the votes where image, annotator and label are the same and round and time, where both have
    them, do not differ. More than half are refused where round or time confirm them. Without these, annotators who
    voted before may well say the same again: then only all of `_FEW` or more are refused, and what remains is told.

    Args:
        votes: as `data.votes.reader.fit_votes` returns them, on the images and classes of the proposals.
        verdicts: likewise, as `data.verdicts.fit_verdicts` returns them.
        round_: of the proposals.

    Returns:
        What looks like a copy and is not refused, in words.
    """
    counted = standing_votes(verdicts).votes
    if "annotator" not in votes:
        return _describe_unnamed(votes, counted, round_)
    known, confirmed = _find_known(votes, counted)
    what = f"{known} of {len(counted)} verdicts stand in the votes already, with the same annotator and label"
    remedy = f"Give the votes of before round {round_}, and all its verdict files."
    before = f"If these are votes of before, a column `{ROUND}` with 0 in their rows says so."
    if confirmed > len(counted) / 2:
        raise InputError(f"{what} and round or time, and would count twice: a round is merged at once. {remedy}")
    if known == len(counted) >= _FEW:
        raise InputError(f"{what}, and would count twice: a round is merged at once. {remedy} {before}")
    if known > len(counted) / 2:
        return (f"{what}; if the votes are a copy of a merged round, they count twice now. {remedy} {before}",)
    return ()


def _find_known(votes: pd.DataFrame, counted: pd.DataFrame) -> tuple[int, int]:
    """How many verdicts stand in the votes, and how many of them a round or a time confirms."""
    key = ["image", "annotator", "label"]
    old, new = (table.assign(annotator=table["annotator"].str.casefold()) for table in (votes, counted))
    old = old.assign(
        old_round=pd.to_numeric(old[ROUND], errors="coerce").fillna(0) if ROUND in old else float("nan"),
        old_seconds=pd.to_numeric(old["seconds"], errors="coerce") if "seconds" in old else float("nan"),
    )
    new = new.reset_index(drop=True).reset_index(names="number")
    pairs = new[["number", *key, ROUND, "seconds"]].merge(old[[*key, "old_round", "old_seconds"]], on=key)
    same_round = pairs["old_round"] == pairs[ROUND]
    timed = pairs["old_seconds"].notna() & pairs["seconds"].gt(0)
    whole, *finer = (_is_same(pairs["old_seconds"], pairs["seconds"].round(decimals)) for decimals in _DECIMALS)
    exact = reduce(or_, finer, _is_same(pairs["old_seconds"], pairs["seconds"]))
    same = (same_round | pairs["old_round"].isna()) & (exact | whole | ~timed)
    confirmed = same & (same_round | (timed & exact))  # whole seconds are alike by chance
    return int(pairs["number"][same].nunique()), int(pairs["number"][confirmed].nunique())


def _is_same(one: pd.Series, other: pd.Series) -> pd.Series:
    return (one - other).abs() < 1e-6


def _describe_unnamed(votes: pd.DataFrame, counted: pd.DataFrame, round_: int) -> tuple[str, ...]:
    """Whether votes that name no annotator could hold all verdicts: each image has as many for each class."""
    key = ["image", "label"]
    given = votes.assign(n=pd.to_numeric(votes["votes"], errors="coerce") if "votes" in votes else 1)
    there = given.groupby(key)["n"].sum()
    needed = counted.groupby(key).size()
    if not (there.reindex(needed.index).fillna(0) >= needed).all():
        return ()
    return (
        f"the votes name no annotator and hold each of the {len(counted)} verdicts' labels on its image already; if"
        f" they are a copy of a merged round, these count twice now. Give the votes of before round {round_}.",
    )
