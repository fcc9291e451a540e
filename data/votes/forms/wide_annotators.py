"""Wide tables with a column an annotator, as cleanlab's multiannotator frame: a class in each cell, or none."""

import re

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import find_role, plain
from data.votes.forms.form import LIKELY, SURE, Answers, Claim, Form, Given
from data.votes.forms.wide import OTHERS, Wide, numbers_of, refuse_empty, take_apart, without_images
from data.votes.options import VoteOptions

_PERSON = re.compile(
    r"(annotator|rater|worker|labell?er|coder|reader|expert|user|person|observer|label|random_label)_?[0-9a-z]{1,3}"
)
_EMPTY = frozenset({"", "na", "nan", "none", "null", "<na>"})
_MOST_CLASSES = 1000
_MOST_COMPARED = 100


class WideAnnotators(Form):
    """image,anna,ben,...: the class that each annotator gave; an empty cell (or NaN) where one gave none."""

    meaning = "wide table, a column an annotator"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is None or not len(given.rows):
            return None
        if find_role("label", given.rows.columns) is not None:
            return None
        wide = take_apart(given.rows, given.path.name)
        columns, _ = _find_annotators(wide)
        if len(columns) < 2:
            return None
        if all(_PERSON.fullmatch(plain(name)) for name in columns):
            return Claim(SURE, "its columns have names as annotators have")
        cells = wide.others[columns].map(_clean)
        numbers = all(numbers_of(wide.others[name]) is not None for name in columns)
        if not numbers:
            return Claim(LIKELY, "its columns hold the same classes")
        whole = cells.map(lambda cell: cell == "" or float(cell).is_integer()).to_numpy().all()
        same = (cells.nunique(axis=1) == 1).mean()
        alike = same >= 0.25 or _mostly_agree(cells)
        if whole and ((cells == "").to_numpy().any() or alike) and not _sums_are_one(cells):
            return Claim(LIKELY, "its columns hold class numbers, the same in many rows, or gaps")
        return None

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if given.rows is None:
            raise InputError(f"Vote table {given.path} is no table: choose another --form.")
        source = given.path.name
        wide = take_apart(given.rows, source)
        columns, unused = _find_annotators(wide, all_of_them=bool(options.form))
        if not columns:
            raise InputError(f"Vote table {given.path} has no columns that could each be an annotator.")
        cells = wide.others[columns].map(_clean)
        notices = [*wide.notices, f"{source}: annotators are {name_some(columns, 20)}"]
        notices += without_images(wide, (cells != "").sum(axis=1), source)
        if unused:
            notices.append(f"{source}: column(s) that are not understood and not used: {name_some(unused)}")
        rows = cells.assign(image=wide.image)[wide.image != ""].melt("image", columns, "annotator", "label")
        rows = rows[rows["label"] != ""].reset_index(drop=True).astype({"annotator": object})
        refuse_empty(rows, given.path)
        return Answers(rows[["image", "label", "annotator"]], (*(given.cells.notices if given.cells else ()), *notices))


def _find_annotators(wide: Wide, *, all_of_them: bool = False) -> tuple[list[str], list[str]]:
    """Columns that share classes with another one, or all that can be people, and the rest."""
    candidates = [name for name in wide.others.columns if plain(name) not in OTHERS]
    values = {name: set(wide.others[name].map(_clean)) - {""} for name in candidates}
    found = []
    for name in candidates:
        own = values[name]
        others = set().union(*(values[other] for other in candidates if other != name))
        if all_of_them or (own and len(own) <= _MOST_CLASSES and len(own & others) >= len(own) / 2):
            found.append(str(name))
    return found, [str(name) for name in wide.others.columns if str(name) not in found]


def _clean(cell: object) -> str:
    """A cell's class as text: 7.0, which a column with gaps makes of 7, is 7."""
    text = "" if cell is None or cell is pd.NA else str(cell).strip()
    if text.casefold() in _EMPTY:
        return ""
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def _mostly_agree(cells: pd.DataFrame) -> bool:
    """Whether most cells of a row hold the same number, and not nearly all rows the same one, as counts hold zeros.

    Of many annotators somebody always differs: how often all agree says nothing then.
    """
    numbers, values = pd.factorize(cells.to_numpy().ravel())
    if len(values) > _MOST_COMPARED:
        return False
    table = numbers.reshape(cells.shape)
    shares = np.stack([(table == value).mean(1) for value in range(len(values))])
    usual = np.bincount(shares.argmax(0)).max() / len(table)
    return bool(shares.max(0).mean() >= 0.7 and usual < 0.9)


def _sums_are_one(cells: pd.DataFrame) -> bool:
    """Whether each row has a single 1 and zeros: one vote for one class."""
    return bool(((cells == "1").sum(axis=1).eq(1) & cells.isin(["0", "1"]).all(axis=1)).all())
