"""The one table of annotators' answers, whichever door they came through: Label Studio, review page, simulation."""

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd

from data.errors import InputError, name_some
from data.names.fit import Fitted, fit_images
from data.names.spelling import clean
from data.tables.reader import column_names, read_table
from data.votes.labels import unite_labels

Unit = Literal["image", "cluster"]
Arm = Literal["proposal", "control"]
Outcome = Literal["accepted", "changed", "manual", "excluded", "skipped", "bulk"]

VOTING: tuple[Outcome, ...] = ("accepted", "changed", "manual", "bulk")
"""Outcomes that carry a label."""


class Verdict(NamedTuple):
    """What one annotator answered on one image; a row of the table, its fields the columns."""

    image: str
    annotator: str
    label: str
    """Class, or empty when `outcome` is excluded or skipped."""
    seconds: float
    """Time spent on this image alone: a cluster's time divided by its members; NaN where nobody measured it."""
    at: str
    """When it was given: ISO 8601 with its offset from UTC."""
    round: int
    """1 for the first relabelling; `dc3 propose` counts up."""
    tool: str
    """The door: label-studio, review or simulation."""
    unit: Unit
    """Judged alone, or as a member of a cluster."""
    cluster: str
    """The cluster of the proposal, empty where it has none."""
    arm: Arm
    """Whether the annotator saw a proposal: control answers are what agreement is measured against."""
    proposal: str
    """The class proposed for the image; recorded in the control arm too, where it was not shown."""
    model_version: str
    """The run that proposed."""
    outcome: Outcome
    """accepted: as proposed; changed: another class; manual: no proposal was shown; excluded: does not belong to its
    cluster and goes back to the single images; skipped: unsure; bulk: copied by a tool, no human looked at it alone."""
    offered: str | None = None
    """`data.proposals.Proposal.offered`: what the image was proposed as, by one rule in both arms and the same in each
    answer on it, in view or not; empty for nothing, None where the table is older than this column."""


COLUMNS = Verdict._fields
OFFERED = "offered"
_CLASS_COLUMNS = ("label", "proposal", OFFERED)
_TEXT = [name for name, kind in Verdict.__annotations__.items() if name not in ("seconds", "round")]


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """Verdicts as a checked table, in their order."""
    return check_verdicts(pd.DataFrame(verdicts, columns=list(COLUMNS)), "the verdicts")


def check_verdicts(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with the columns of `Verdict`, in their order and types.

    A table of before `offered` was recorded has None there. Raises InputError with every fault: missing columns,
    unknown words, a vote without label, a label without vote, negative seconds, a round below 1, a time that is none.
    """
    missing = [name for name in COLUMNS if name not in table and name != OFFERED]
    if missing:
        raise InputError(f"{source} lacks the column(s) {name_some(missing)} of a verdict table.")
    table = table.reindex(columns=list(COLUMNS)).reset_index(drop=True)
    offered = table[OFFERED].astype(object)
    table = table.astype(dict.fromkeys(_TEXT, str)).astype({"seconds": float})
    table[OFFERED] = offered.where(offered.notna(), None)
    faults = _list_faults(table)
    if faults:
        raise InputError(f"{source} cannot be used:\n- " + "\n- ".join(faults))
    return table.astype({"round": int})


def is_verdict_table(path: Path) -> bool:
    """Whether a file is a table with a column `outcome`, which votes do not have."""
    if not path.is_file():
        return False
    try:
        return "outcome" in column_names(path, "Table")
    except InputError:  # an export of another tool, or no table: the reader of votes tells
        return False


def read_verdicts(*paths: Path) -> pd.DataFrame:
    """Reads and joins verdict tables, .parquet or .csv; raises InputError when one is missing or faulty.

    Annotators are named without stray spaces and in one Unicode form. Images and classes are named as in the tables:
    `fit_verdicts` gives them one name each.
    """
    return pd.concat([_read(path) for path in paths], ignore_index=True)


def write_verdicts(table: pd.DataFrame, path: Path) -> None:
    """Writes a checked table as .parquet or .csv; `path` holds the whole table or what it held before."""
    table = check_verdicts(table, str(path))
    if table[OFFERED].isna().any():  # CSV cannot tell 'nothing offered' from 'not recorded'
        table = table.drop(columns=OFFERED)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if path.suffix == ".parquet":
        table.to_parquet(part, index=False)
    else:
        table.to_csv(part, index=False)
    part.replace(path)


def fit_verdicts(
    table: pd.DataFrame, source: str, images: Sequence[str] = (), classes: Sequence[str] = (), *, all_there: bool = True
) -> Fitted:
    """The answers with one name an image and one spelling a class: those of the proposals, where they are given.

    Label, proposal and offer are spelled together, so that none of them is another class than the others. What fits
    no image or class given is united among itself, as in a vote table.

    Raises InputError where a name could mean several images.
    """
    fitted = fit_images(table, source, images, all_there=all_there)
    cells = fitted.rows[list(_CLASS_COLUMNS)].astype(object).stack()
    cells = cells[cells.notna() & (cells != "")]  # tables of before do not say what was offered
    united = unite_labels(cells, f"{source} (label, proposal and offered)", classes)
    spelled = united.labels.unstack().reindex(index=fitted.rows.index, columns=list(_CLASS_COLUMNS))
    columns = {name: fitted.rows[name].mask(spelled[name].notna(), spelled[name]) for name in _CLASS_COLUMNS}
    return Fitted(fitted.rows.assign(**columns), (*fitted.notices, *united.notices))


def votes_of(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that carry a label: those of outcomes `VOTING`."""
    return table[table["outcome"].isin(VOTING)]


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(
            f"No verdict table at {path}: expected a .parquet or .csv of `dc3 label-studio pull` or review."
        )
    rows, notices = read_table(path, "Verdict table", _TEXT, ("seconds", "round"))
    if notices:  # we write UTF-8: names in another encoding may no longer be those of the images
        raise InputError(f"Verdict table {'; '.join(notices)}.")
    return check_verdicts(_clean_cells(rows), str(path))


def _clean_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Annotators cleaned, and cells of spaces made empty; a name such as NA stays, as every answer is somebody's."""
    for column in rows.columns.intersection(["image", "annotator", "label", "proposal"]):
        cleaned = {text: clean(text) for text in rows[column].unique()}
        wanted = {text: short if column == "annotator" or not short else text for text, short in cleaned.items()}
        rows = rows.assign(**{column: rows[column].map(wanted)})
    return rows


def _list_faults(table: pd.DataFrame) -> list[str]:
    def rows(mask: pd.Series, column: str) -> str:
        bad = table[mask.to_numpy()]
        return name_some([f"{row.image} by {row.annotator}: {getattr(row, column)!r}" for row in bad.itertuples()], 5)

    faults = []
    for column, known in (("unit", Unit), ("arm", Arm), ("outcome", Outcome)):
        strange = ~table[column].isin(get_args(known))
        if strange.any():
            faults.append(f"{column} must be one of {name_some(get_args(known))}: {rows(strange, column)}")
    votes = table["outcome"].isin(VOTING)
    checks = {
        "image must not be empty": (table["image"] == "", "image"),
        "annotator must not be empty": (table["annotator"] == "", "annotator"),
        "a vote needs a label": (votes & (table["label"] == ""), "outcome"),
        "excluded and skipped images have no label": (~votes & (table["label"] != ""), "label"),
        "seconds must be finite and not negative": ((table["seconds"] < 0) | (table["seconds"] == math.inf), "seconds"),
        "round must be a whole number from 1 up": (~_is_round(table["round"]), "round"),
        "at must be an ISO 8601 time with its offset from UTC": (~table["at"].map(_is_time), "at"),
    }
    return faults + [f"{text}: {rows(mask, column)}" for text, (mask, column) in checks.items() if mask.any()]


def _is_round(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.ge(1) & numbers.mod(1).eq(0)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
