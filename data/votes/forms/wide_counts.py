"""Wide tables with a column a class that holds counts, FERPlus for example, or shares of the votes."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import find_role, plain
from data.votes.forms.form import LIKELY, SURE, Answers, Claim, Form, Given
from data.votes.forms.wide import OTHERS, Wide, numbers_of, refuse_empty, take_apart, without_images
from data.votes.options import VoteOptions

MOST_VOTES = 100
"""That shares are taken for where none is given: of more, two decimals tell no number."""


class _Counts(NamedTuple):
    wide: Wide
    counts: pd.DataFrame
    """(N, k) numbers, empty cells 0; a column a class."""
    unused: list[str]


class WideCounts(Form):
    """image,cat,dog,...: how many votes each class has, or which share of them."""

    meaning = "wide table, a column a class"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is None or not len(given.rows):
            return None
        label = find_role("label", given.rows.columns)
        named = set(given.rows[label].unique()) - {""} if label is not None else set()
        if label is not None and not named <= set(given.rows.columns):
            return None
        found = _find_counts(given.rows, given.path.name)
        if found.counts.shape[1] < 2 or not found.wide.has_names:
            return None
        if label is not None:
            summed_up = bool(named) and named <= set(found.counts.columns)
            text = f"columns of numbers bear the names of all classes of {label}, which sums them up"
            return Claim(SURE + 1, text) if summed_up else None
        why = _tell_counts(found.counts, given.rows[found.counts.columns])
        return Claim(LIKELY, why) if why else None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if given.rows is None:
            raise InputError(f"Vote table {given.path} is no table: choose another --form.")
        source = given.path.name
        found = _find_counts(given.rows, source)
        if found.counts.shape[1] < 2:
            raise InputError(f"Vote table {given.path} has no two columns of numbers that could each be a class.")
        counts, notices = _to_votes(found.counts, source, options)
        classes = list(counts.columns)
        notices = [*found.wide.notices, f"{source}: classes are {name_some(classes, 40)}", *notices]
        notices += without_images(found.wide, counts.sum(axis=1), source)
        kept = counts[found.wide.image != ""]
        if n_empty := int((kept.sum(axis=1) == 0).sum()):
            notices.append(f"{source}: {n_empty} row(s) have no vote at all and are left out")
        if found.unused:
            notices.append(f"{source}: column(s) that are not understood and not used: {name_some(found.unused)}")
        rows = _melt(kept, found.wide.image, given.rows)
        refuse_empty(rows, given.path)
        return Answers(rows, (*(given.cells.notices if given.cells else ()), *notices))


def _find_counts(rows: pd.DataFrame, source: str) -> _Counts:
    """The columns of numbers that can be classes; a column that sums up the others is none."""
    wide = take_apart(rows, source)
    person = find_role("annotator", wide.others.columns)
    columns, unused = {}, []
    for name in wide.others.columns:
        values = None if plain(name) in OTHERS or name == person else numbers_of(wide.others[name])
        if values is not None:
            columns[str(name)] = values.fillna(0)
        elif name != person:
            unused.append(str(name))
    counts = pd.DataFrame(columns, index=rows.index)
    for name in list(counts.columns) if counts.shape[1] > 2 else ():
        rest = counts.drop(columns=name).sum(axis=1)
        if len(counts) > 1 and np.allclose(rest, counts[name]) and (counts[name] > 0).any():
            unused.append(name)
            return _Counts(wide, counts.drop(columns=name), unused)
    return _Counts(wide, counts, unused)


def _tell_counts(counts: pd.DataFrame, given: pd.DataFrame) -> str:
    """Why columns of numbers are counts or shares, in words; empty where they are rather annotators' class numbers."""
    sums = counts.sum(axis=1)
    voted = sums[sums > 0]
    if not len(voted):
        return ""
    fraction = (counts % 1 != 0).to_numpy().any()
    if fraction or _are_shares(voted):
        return "each row sums to 1 or 100" if _are_shares(voted) else ""
    blank = given.isna().to_numpy() | (given.astype(str) == "").to_numpy()
    same = (counts.nunique(axis=1) == 1).mean()
    steady = voted.std(ddof=0) <= 0.3 * voted.mean() if len(voted) > 1 else True
    zeros = (counts == 0).to_numpy().mean()
    if (voted == voted.iloc[0]).mean() >= 0.95 or (steady and same < 0.1 and not blank.any()):
        return "its rows have about as many votes each"
    if blank.any() and ((counts == 0).to_numpy() & ~blank).any():
        return ""  # 0 beside nothing: a class called 0, and no answer
    return "most cells are 0 and few rows have the same number everywhere" if same < 0.05 and zeros >= 0.4 else ""


def _are_shares(sums: pd.Series) -> bool:
    return bool(((sums - 1).abs() < 0.02).all() or ((sums - 100).abs() < 1).all())


def _to_votes(counts: pd.DataFrame, source: str, options: VoteOptions) -> tuple[pd.DataFrame, list[str]]:
    """Whole votes. Counts stay; shares become votes of one number for the whole table, and this is said.

    Example: rows 0.75 0.25 and 0.5 0.5 are 3 1 and 2 2.
    """
    fraction = (counts % 1 != 0).to_numpy().any()
    sums = counts.sum(axis=1)
    percent = bool(((sums[sums > 0] - 100).abs() < 1).all()) and (fraction or options.votes_per_image > 0)
    if not fraction and not percent:
        return counts.astype("int64"), []
    if not _are_shares(sums[sums > 0]):
        raise InputError(
            f"Vote table {source} has fractions that sum to neither 1 nor 100 in each row: give whole numbers of votes,"
            " or shares."
        )
    values = counts.to_numpy(float)
    totals = values.sum(1, keepdims=True)
    shares = np.divide(values, totals, out=np.zeros_like(values), where=totals > 0)
    number = options.votes_per_image or _fewest_votes(shares, _rounding_of(values / (100 if percent else 1)))
    votes = _round_shares(shares, number)
    how = "as said by --votes-per-image" if options.votes_per_image else "the fewest that give these shares"
    if not options.votes_per_image and number == MOST_VOTES:
        how = "as no smaller number gives these shares"
    return pd.DataFrame(votes, counts.index, counts.columns), [
        f"{source}: shares without a number of votes are taken as {number} votes an image, {how}; where the number is"
        " known, give it by --votes-per-image, for the ranking and soft labels count on it"
    ]


def _rounding_of(values: np.ndarray) -> float:
    """How far a written share may lie from the true one: 0.005 with two decimals, and a little for sums of such."""
    decimals = next((n for n in range(1, 6) if np.allclose(values, values.round(n), atol=1e-9)), 6)
    return 0.6 * 10.0**-decimals


def _fewest_votes(shares: np.ndarray, rounding: float) -> int:
    """The smallest number of votes that gives all shares up to their rounding; `MOST_VOTES` where there is none."""
    for number in range(1, MOST_VOTES):
        scaled = shares * number
        if (np.abs(scaled - scaled.round()) <= min(rounding * number, 0.15)).all():
            return number
    return MOST_VOTES


def _round_shares(shares: np.ndarray, number: int) -> np.ndarray:
    """(N, k) whole votes that sum to `number` where there are any: largest remainders get what rounding down leaves."""
    scaled = shares * number
    votes = np.floor(scaled + 1e-9).astype(np.int64)
    missing = np.where(shares.sum(1) > 0, number - votes.sum(1), 0)
    order = np.argsort(-(scaled - votes), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    return votes + (ranks < missing[:, None])


def _melt(counts: pd.DataFrame, image: pd.Series, rows: pd.DataFrame) -> pd.DataFrame:
    places, columns = np.nonzero(counts.to_numpy())
    index = counts.index[places]
    long = pd.DataFrame(
        {
            "image": image[index].to_numpy(object),
            "label": np.array([str(name) for name in counts.columns], object)[columns],
            "votes": counts.to_numpy()[places, columns],
        }
    )
    person = find_role("annotator", rows.columns)
    return long if person is None else long.assign(annotator=rows.loc[index, person].astype(str).to_numpy(object))
