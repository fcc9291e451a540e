"""Votes of annotators: a long table becomes counts, soft labels, majority, ambiguous share and class weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.names.fit import fit_images, name_unknown
from data.names.spelling import clean
from data.tables.columns import COLUMNS, ROUND, TIMES
from data.votes.forms import read_answers
from data.votes.ignored import part_ignored
from data.votes.labels import RESERVED, clean_annotators, name_numbers, unite_labels
from data.votes.options import VoteOptions
from data.votes.rare import settle_rare
from data.votes.repeats import drop_repeats, drop_second_copy
from data.votes.rounds import read_round

_USUAL = VoteOptions()
MOST_VOTES = 10**9
"""In one row; more is no count, and would overflow."""


class VoteTable(NamedTuple):
    """A vote table as read."""

    rows: pd.DataFrame
    """Columns image, label, and what there is of annotator, votes, seconds, round and a time."""
    notices: tuple[str, ...]
    """What was united, repeated or doubtful, in words for the user."""
    source: str
    """The file, for messages."""
    ignored: pd.DataFrame = pd.DataFrame()
    """Rows of the same columns that say 'cannot tell': they are kept, but are no class and no votes."""
    options: VoteOptions = VoteOptions()
    """How it was read; classes that are too rare are settled once the images are known."""


class Votes(NamedTuple):
    """Vote counts of N images over k classes."""

    counts: np.ndarray
    """(N, k) int64; a row of zeros is an image nobody has judged yet."""
    classes: tuple[str, ...]
    """k names, in the order of the columns."""


def read_votes(path: Path, classes: Sequence[str] = (), options: VoteOptions = _USUAL) -> VoteTable:
    """Reads votes in any form (`data.votes.forms`): the one reader of all tables that name images and labels.

    Labels come in one spelling (`data.votes.labels`); one vote of an annotator on an image (`data.votes.repeats`).
    Images are named as in the table: `data.names.fit.fit_images` gives them the names of the images at hand.

    Args:
        classes: known names, where there are any.
        options: what the content does not say.

    Raises:
        InputError: there are no votes, in no known form, a row lacks image or label, or of answers nothing says which
            counts.
    """
    return join_votes((path,), classes, options)


def join_votes(
    paths: Sequence[Path], classes: Sequence[str] = (), options: VoteOptions = _USUAL, *, numbered: bool = False
) -> VoteTable:
    """Reads several tables as one; arguments and errors as of `read_votes`.

    Args:
        numbered: whether `classes` stand in the order of their numbers, so that labels 0, 1, ... can mean them.
    """
    found = [read_answers(path, options) for path in paths]
    for path, answers in zip(paths, found, strict=True):
        if not len(answers.rows):
            raise InputError(f"Vote table {path} has a header and no row below it: write one row a vote.")
        _refuse_cells(answers.rows, path)
    rows = pd.concat([answers.rows for answers in found], ignore_index=True) if len(found) > 1 else found[0].rows
    notices = tuple(dict.fromkeys(notice for answers in found for notice in answers.notices))
    if numbered:
        named = name_numbers(rows["label"], classes)
        rows, notices = rows.assign(label=named.labels), (*notices, *named.notices)
    source = paths[0].name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    return _clean(_fill(rows), notices, source, classes, options, merged=any(read_round(path) for path in paths))


def _fill(rows: pd.DataFrame) -> pd.DataFrame:
    """What a table of several lacks in some of them: nobody's name, one vote, no round and no time."""
    texts = [column for column in ("annotator", ROUND, *TIMES) if column in rows]
    rows = rows.assign(**{column: rows[column].fillna("") for column in texts})
    return rows.assign(votes=rows["votes"].fillna(1)) if "votes" in rows and len(rows) else rows


def _clean(
    rows: pd.DataFrame,
    notices: tuple[str, ...],
    source: str,
    classes: Sequence[str],
    options: VoteOptions,
    *,
    merged: bool,
) -> VoteTable:
    people: tuple[str, ...] = ()
    parted = part_ignored(rows, source, options.ignore_labels)
    united = unite_labels(parted.rows["label"], source, classes)
    rows = parted.rows.assign(label=united.labels)
    if "annotator" in rows:
        names, people = clean_annotators(rows["annotator"], source)
        rows = rows.assign(annotator=names)
    rows = rows[[column for column in (*COLUMNS, ROUND, *TIMES) if column in rows]].reset_index(drop=True)
    if ROUND not in rows and "annotator" in rows and merged:
        # merged by a version that kept no rounds: an annotator's answers are of several, and all count
        rows = rows.assign(round=rows.groupby(["image", "annotator"]).cumcount().astype(str))
    copy = drop_second_copy(rows, source)
    try:
        once = drop_repeats(copy.rows, source)
    except InputError as error:  # two people taken for one may be the cause
        raise InputError("\n".join((str(error), *people))) from error
    notices = (*notices, *people, *parted.notices, *united.notices, *copy.notices, *once.notices)
    return VoteTable(once.rows.reset_index(drop=True), notices, source, parted.ignored, options)


def fit_votes(
    table: VoteTable, images: Sequence[str], classes: Sequence[str] = (), *, all_there: bool = True
) -> VoteTable:
    """The table on the images and classes at hand, under their names; what fits none stays as it is.

    Args:
        all_there: whether the table can name these images only, as in `data.names.matching.match_names`.

    Raises:
        InputError: image names that could mean several images, or what `data.votes.repeats` refuses.
    """
    rows, notices = table.rows, table.notices
    if len(classes):
        united = unite_labels(rows["label"], table.source, classes)
        rows, notices = rows.assign(label=united.labels), tuple(dict.fromkeys((*notices, *united.notices)))
    both = pd.concat([rows, table.ignored], keys=["voted", "ignored"]) if len(table.ignored) else rows
    fitted = fit_images(both, table.source, images, all_there=all_there)
    ignored = table.ignored
    if len(table.ignored):
        ignored = fitted.rows.loc["ignored"] if "ignored" in fitted.rows.index else table.ignored
        fitted = fitted._replace(rows=fitted.rows.loc["voted"] if len(rows) else rows)
    once = drop_repeats(fitted.rows, table.source)  # again: one image may have had two names
    settled = settle_rare(once.rows.reset_index(drop=True), ignored, table.source, table.options)
    notices = (*notices, *fitted.notices, *once.notices, *settled.notices)
    return table._replace(rows=settled.rows, notices=notices, ignored=settled.ignored)


def _refuse_cells(rows: pd.DataFrame, path: Path) -> None:
    """Raises InputError where an image or label is empty, or holds a line break: a quote then swallows rows."""
    faults = []
    for column in COLUMNS[:2]:
        texts = rows[column].unique().tolist()
        empty = rows.index[rows[column].isin([text for text in texts if not clean(text)])] + 1
        if len(empty):
            faults.append(f"no {column} in its row(s) {name_some(empty)}, counted from 1")
        broken = rows.index[rows[column].isin([text for text in texts if "\n" in text.strip()])] + 1
        if len(broken):
            raise InputError(
                f"Vote table {path} has a line break in the {column} of its row(s) {name_some(broken)}, counted from 1:"
                " a double quote that is closed in a later line makes one cell of all between. Mend the quotes."
            )
    if faults:
        raise InputError(f"Vote table {path} has {' and '.join(faults)}. Fill them in, or remove these rows.")


def count_votes(
    table: pd.DataFrame, images: Sequence[str], classes: Sequence[str] = (), *, all_voted: bool = True
) -> Votes:
    """Counts the votes of each image for each class, or reports every fault of the table at once.

    Args:
        table: one row a vote (or `votes` of them), columns as in `read_votes`.
        images: N image names; the order of the rows.
        classes: k class names; empty means those found in the table, sorted.
        all_voted: whether a class without any vote is a fault.

    Raises:
        InputError: unknown image or label, votes that are no positive whole number, empty class, a single class, a
            class of the reserved name.
    """
    numbers = table["votes"] if "votes" in table else pd.Series(1, index=table.index)
    votes = pd.to_numeric(numbers, errors="coerce")
    found = sorted(table["label"].unique())
    names = tuple(classes) if classes else tuple(found)
    faults = name_unknown(table, images)
    strange = sorted(set(found) - set(names))
    if strange:
        faults.append(f"label(s) {name_some(strange)} that are none of the classes {name_some(names)}")
    if "" in names:
        faults.append("empty label(s): " + name_some(sorted(table["image"][table["label"] == ""])))
    bad = (~(votes.between(1, MOST_VOTES) & votes.mod(1).eq(0))).to_numpy().nonzero()[0]
    if len(bad):
        rows = [f"{table['image'].iloc[row]} -> {table['label'].iloc[row]}: {numbers.iloc[row]}" for row in bad[:21]]
        faults.append(
            f"votes must be whole numbers from 1 up to {MOST_VOTES:,}; {len(bad)} row(s): {name_some(rows)}; leave out"
            " rows of no votes"
        )
    empty = sorted(set(names) - set(found), key=names.index) if all_voted else []
    if empty:
        faults.append(f"class(es) without any vote: {name_some(empty)}")
    if len(set(names)) < 2:
        faults.append(f"at least two classes are needed, found {name_some(names) or 'none'}")
    faults += describe_reserved(names)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        faults.append(f"class(es) named more than once: {name_some(twice)}; name each once")
    if faults:
        raise InputError("The votes cannot be used:\n- " + "\n- ".join(faults))
    counts = np.zeros((len(images), len(names)), np.int64)
    rows_ = pd.Index(images).get_indexer(table["image"])
    np.add.at(counts, (rows_, pd.Index(names).get_indexer(table["label"])), votes.to_numpy(np.int64))
    return Votes(counts, names)


def describe_reserved(classes: Sequence[str]) -> tuple[str, ...]:
    """The fault, in words, of a class that has the name of relabelling's clusters without one."""
    taken = [name.strip() for name in classes if name.strip().casefold() == RESERVED]
    if not taken:
        return ()
    return (
        f"a class called {taken[0]!r}: relabelling calls clusters without a class so; give it another name in the"
        f" votes, {taken[0] + ' sample'!r} for example",
    )
