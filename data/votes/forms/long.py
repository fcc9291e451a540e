"""Long tables: one row a vote, or several equal ones, under the usual names of the columns."""

import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import (
    COLUMNS,
    IGNORED,
    ROUND,
    TIMES,
    describe_columns,
    describe_missing,
    find_role,
    find_roles,
)
from data.tables.reader import type_columns
from data.votes.forms.form import SURE, Answers, Claim, Form, Given
from data.votes.options import VoteOptions

TEXT = (*COLUMNS[:3], ROUND, IGNORED, *TIMES)


class Long(Form):
    """image,label[,annotator][,votes][,seconds][,round][,a time], or other usual names of these."""

    meaning = "long table, one row a vote"

    def recognises(self, given: Given) -> Claim | None:
        if given.rows is None or not _has_both(given.rows):
            return None
        return Claim(SURE, "it has columns for image and label")

    def read(self, given: Given, options: VoteOptions) -> Answers:
        if given.cells is None:
            raise InputError(f"Vote table {given.path} is no table: choose another --form.")
        if not _has_both(given.cells.rows):
            raise InputError(describe_missing(given.cells.rows, given.path))
        rows = given.cells.rows
        roles = find_roles(rows, given.path)
        unused = [str(name) for name in rows.columns if str(name) and name not in roles]
        other = {column: role for column, role in roles.items() if column.strip().casefold() != role}
        cells = given.cells._replace(rows=rows.rename(columns=other))
        table = type_columns(cells, given.path, "Vote table", TEXT, COLUMNS[3:])
        if not options.form:
            _refuse_annotators(table.rows, unused, given)
        kept = table.rows[[column for column in (*COLUMNS, ROUND, IGNORED, *TIMES) if column in table.rows]]
        return Answers(kept, (*table.notices, *describe_columns(roles, unused, given.path.name)))


def _has_both(rows: pd.DataFrame) -> bool:
    return find_role("image", rows.columns) is not None and find_role("label", rows.columns) is not None


def _refuse_annotators(rows: pd.DataFrame, unused: list[str], given: Given) -> None:
    """Raises InputError where two other columns hold the same classes as the label: each may be an annotator's."""
    classes = set(rows["label"]) - {""}
    alike = []
    for name in unused:
        values = set(rows[name].dropna().astype(str)) - {""}
        if len(values) > 1 and values <= classes:
            alike.append(name)
    if len(alike) > 1:
        raise InputError(
            f"Vote table {given.path}: columns {name_some(alike)} hold the same classes as label. If each is an"
            f" annotator, read it by --form wide_annotators; if label alone is the vote, by --form long."
        )
