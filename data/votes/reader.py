"""Votes of annotators: a long table becomes counts, soft labels, majority, ambiguous share and class weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.names.fit import fit_images, name_unknown
from data.names.spelling import clean
from data.tables.columns import COLUMNS, describe_missing
from data.tables.reader import read_table
from data.votes.labels import RESERVED, clean_annotators, unite_labels
from data.votes.repeats import TIMES, drop_repeats, drop_second_copy
from data.votes.rounds import read_round

ROUND = "round"
"""Optional column that numbers an annotator's answers on the same image; `dc3 merge` writes it."""
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


class Votes(NamedTuple):
    """Vote counts of N images over k classes."""

    counts: np.ndarray
    """(N, k) int64; a row of zeros is an image nobody has judged yet."""
    classes: tuple[str, ...]
    """k names, in the order of the columns."""


def read_votes(path: Path, classes: Sequence[str] = ()) -> VoteTable:
    """Reads a vote table: the one reader of all tables that name images and labels.

    Delimited text or .parquet (`data.tables.reader`); labels in one spelling (`data.votes.labels`); one vote of an
    annotator on an image (`data.votes.repeats`). Images are named as in the table: `data.names.fit.fit_images`
    gives them the names of the images at hand.

    Args:
        classes: known names, where there are any.

    Raises:
        InputError: the file is missing, unreadable, lacks a column, has a row without image or label, or answers of
            which nothing says which counts.
    """
    if not path.is_file():
        raise InputError(f"No vote table at {path}: expected a .csv or .parquet with columns image, label.")
    people: tuple[str, ...] = ()
    rows, notices = read_table(path, "Vote table", (*COLUMNS[:3], ROUND, *TIMES), COLUMNS[3:])
    if not {*COLUMNS[:2]} <= set(rows):
        raise InputError(describe_missing(rows, path))
    if not len(rows):
        raise InputError(f"Vote table {path} has a header and no row below it: write one row a vote.")
    _refuse_cells(rows, path)
    united = unite_labels(rows["label"], path.name, classes)
    rows = rows.assign(label=united.labels)
    if "annotator" in rows:
        names, people = clean_annotators(rows["annotator"], path.name)
        rows = rows.assign(annotator=names)
    rows = rows[[column for column in (*COLUMNS, ROUND, *TIMES) if column in rows]].reset_index(drop=True)
    if ROUND not in rows and "annotator" in rows and read_round(path):
        # merged by a version that kept no rounds: an annotator's answers are of several, and all count
        rows = rows.assign(round=rows.groupby(["image", "annotator"]).cumcount().astype(str))
    copy = drop_second_copy(rows, path.name)
    try:
        once = drop_repeats(copy.rows, path.name)
    except InputError as error:  # two people taken for one may be the cause
        raise InputError("\n".join((str(error), *people))) from error
    notices = (*notices, *people, *united.notices, *copy.notices, *once.notices)
    return VoteTable(once.rows.reset_index(drop=True), notices, path.name)


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
    fitted = fit_images(rows, table.source, images, all_there=all_there)
    once = drop_repeats(fitted.rows, table.source)  # again: one image may have had two names
    return table._replace(rows=once.rows.reset_index(drop=True), notices=(*notices, *fitted.notices, *once.notices))


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
