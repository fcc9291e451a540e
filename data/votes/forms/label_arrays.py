"""Arrays of class numbers by image number, CIFAR-10N for example (.pt, .npy, or the same as columns of a table)."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import plain
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.forms.wide import numbers_of
from data.votes.options import VoteOptions

_DERIVED = re.compile(r"(clean|true|gt|ground_truth|aggre\w*|worse|worst|majority)(_labels?)?")
"""Names of what is made from votes, or the truth: no votes."""
_DRAWN = re.compile(r"random_label\d+|noisy_label\d*")


class LabelArrays(Form):
    """A vote an array and image; an array is a draw from many people's answers and no person."""

    meaning = "class numbers by image number (CIFAR-10N)"

    def recognises(self, given: Given) -> Claim | None:
        if given.arrays is not None:
            return Claim(SURE, "it holds arrays of numbers")
        if given.rows is not None and any(_DRAWN.fullmatch(plain(name)) for name in given.rows.columns):
            return Claim(SURE + 1, "it has CIFAR-10N's columns random_label")
        return None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        source = given.path.name
        arrays = given.arrays if given.arrays is not None else _take_columns(given)
        derived = [name for name in arrays if _DERIVED.fullmatch(plain(name))]
        taken = {name: values for name, values in arrays.items() if name not in derived}
        if not taken:
            raise InputError(f"{given.path} holds no votes: {name_some(derived)} are made from votes, or the truth.")
        if "" in taken and taken[""].ndim == 2:
            return _read_counts(taken[""], given)
        faults = [f"{name}: {values.dtype} {values.shape}" for name, values in taken.items() if not _is_labels(values)]
        if faults or len({len(values) for values in taken.values()}) != 1:
            shown = faults or [f"{name}: {len(values)}" for name, values in taken.items()]
            raise InputError(
                f"{given.path} must hold arrays of whole class numbers, all of one length: {name_some(shown)}."
            )
        table = pd.DataFrame(
            {
                "image": np.concatenate([np.arange(len(values)) for values in taken.values()]).astype(str),
                "label": np.concatenate([np.asarray(values).astype(np.int64) for values in taken.values()]).astype(str),
            }
        )
        notices = [
            f"{source}: votes are {name_some(list(taken))}; images are called by their number, from 0, classes by"
            " theirs: --classes names them in order"
        ]
        if derived:
            notices.append(f"{source}: {name_some(derived)} are made from votes, or the truth, and are no votes")
        table = table.sort_values("image", kind="stable", key=lambda names: names.astype(int), ignore_index=True)
        return Answers(table.astype(object), tuple(notices))


def _take_columns(given: Given) -> Mapping[str, np.ndarray]:
    """The columns of a table that hold numbers; one that counts the rows up from 0 is their index."""
    if given.rows is None:
        raise InputError(f"Vote table {given.path} holds no arrays of class numbers.")
    found = {}
    for name in given.rows.columns:
        values = numbers_of(given.rows[name]) if name else None
        if values is None or values.isna().any() or (values == np.arange(len(values))).all():
            continue
        found[str(name)] = values.to_numpy()
    return found


def _is_labels(values: np.ndarray) -> bool:
    return values.ndim == 1 and values.dtype.kind in "iuf" and bool((values >= 0).all() and (values % 1 == 0).all())


def _read_counts(counts: np.ndarray, given: Given) -> Answers:
    """(N, k) whole counts, as CIFAR-10H has them."""
    if counts.dtype.kind not in "iuf" or (counts < 0).any() or (counts % 1 != 0).any():
        raise InputError(f"{given.path} must hold whole numbers of votes (images x classes).")
    rows, columns = np.nonzero(counts)
    table = pd.DataFrame(
        {"image": rows.astype(str), "label": columns.astype(str), "votes": counts[rows, columns].astype(np.int64)}
    )
    return Answers(
        table.astype({"image": object, "label": object}),
        (
            f"{given.path.name}: {counts.shape[0]} images with counts for {counts.shape[1]} classes, both called by"
            " number, from 0: --classes names the classes in order",
        ),
    )
