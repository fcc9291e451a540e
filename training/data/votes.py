"""Votes of annotators: a long table becomes counts, soft labels, majority, ambiguous share and class weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from training.data.tables import read_table
from training.errors import InputError, name_some

COLUMNS = ("image", "label", "annotator", "votes", "seconds")


class Votes(NamedTuple):
    """Vote counts of N images over k classes."""

    counts: np.ndarray
    """(N, k) int64; a row of zeros is an image nobody has judged yet."""
    classes: tuple[str, ...]
    """k names, in the order of the columns."""


def read_votes(path: Path) -> pd.DataFrame:
    """Reads a .csv or .parquet vote table with columns image, label and optionally annotator, votes, seconds.

    Raises InputError when the file is missing, unreadable, lacks a column, or has a row without image or label.
    """
    if not path.is_file():
        raise InputError(f"No vote table at {path}: expected a .csv or .parquet with columns image, label.")
    table = read_table(path, "Vote table", COLUMNS[:3], COLUMNS[3:])
    missing = [column for column in COLUMNS[:2] if column not in table]
    if missing:
        found = name_some(list(table.columns))
        raise InputError(f"Vote table {path} lacks the column(s) {name_some(missing)}; it has {found}.")
    faults = []
    for column in COLUMNS[:2]:
        empty = (table[column] == "").to_numpy().nonzero()[0] + 1
        if len(empty):
            faults.append(f"no {column} in its row(s) {name_some(empty)}, counted from 1")
    if faults:
        raise InputError(f"Vote table {path} has {' and '.join(faults)}.")
    return table[[column for column in COLUMNS if column in table]]


def count_votes(table: pd.DataFrame, images: Sequence[str], classes: Sequence[str] = ()) -> Votes:
    """Counts the votes of each image for each class, or reports every fault of the table at once.

    Args:
        table: one row a vote (or `votes` of them), columns as in `read_votes`.
        images: N image names; the order of the rows.
        classes: k class names; empty means those found in the table, sorted.

    Raises:
        InputError: unknown image or label, votes that are no positive whole number, empty class, a single class.
    """
    numbers = table["votes"] if "votes" in table else pd.Series(1, index=table.index)
    votes = pd.to_numeric(numbers, errors="coerce")
    names = tuple(classes) if classes else tuple(sorted(table["label"].unique()))
    faults = []
    unknown = sorted(set(table["image"]) - set(images))
    if unknown:
        faults.append(f"votes for {len(unknown)} image(s) that are not there: {name_some(unknown)}")
    strange = sorted(set(table["label"]) - set(names))
    if strange:
        faults.append(f"label(s) {name_some(strange)} that are none of the classes {name_some(names)}")
    if "" in names:
        faults.append("empty label(s): " + name_some(sorted(table["image"][table["label"] == ""])))
    bad = table[~(votes.ge(1) & votes.mod(1).eq(0))]
    if len(bad):
        rows = [f"{row.image} -> {row.label}: {numbers[row.Index]}" for row in bad.itertuples()]
        faults.append(f"votes must be whole numbers from 1 up; row(s) {name_some(rows)}")
    empty = [name for name in names if name not in set(table["label"])]
    if empty:
        faults.append(f"class(es) without any vote: {name_some(empty)}")
    if len(set(names)) < 2:
        faults.append(f"at least two classes are needed, found {name_some(names) or 'none'}")
    if faults:
        raise InputError("The votes cannot be used:\n- " + "\n- ".join(faults))
    counts = np.zeros((len(images), len(names)), np.int64)
    rows_ = pd.Index(images).get_indexer(table["image"])
    np.add.at(counts, (rows_, pd.Index(names).get_indexer(table["label"])), votes.to_numpy(np.int64))
    return Votes(counts, names)


def soft_labels(counts: np.ndarray) -> np.ndarray:
    """(N, k) share of the votes, the paper's l^; zeros where nobody voted."""
    total = counts.sum(1, keepdims=True)
    return counts / np.maximum(total, 1)


def majority(counts: np.ndarray) -> np.ndarray:
    """(N,) index of the class with most votes, the first one at a tie."""
    return counts.argmax(1)


def is_voted(counts: np.ndarray) -> np.ndarray:
    """(N,) True where at least one annotator has judged the image."""
    return counts.sum(1) > 0


def is_ambiguous(counts: np.ndarray) -> np.ndarray:
    """(N,) True where annotators disagree: more than one class has a vote (paper, section 2.1)."""
    return (counts > 0).sum(1) > 1


def ambiguous_share(counts: np.ndarray) -> float:
    """Share of the voted images whose annotators disagree, Table 1's prior ambiguity; 0 to 1."""
    return float(is_ambiguous(counts).sum() / max(int(is_voted(counts).sum()), 1))


def vote_entropy(counts: np.ndarray) -> np.ndarray:
    """(N,) entropy of the soft label in nats: 0 where all agree, ln k where all classes are equally likely."""
    soft = soft_labels(counts)
    return -(soft * np.log(np.where(soft > 0, soft, 1.0))).sum(1)


def class_weights(targets: np.ndarray) -> np.ndarray:
    """(k,) weights n / (k n_c) of the classes in (n, k) one-hot or soft targets; 0 for a class that is absent."""
    sizes = targets.sum(0)
    return np.where(sizes > 0, len(targets) / (targets.shape[1] * np.maximum(sizes, 1e-12)), 0.0)
