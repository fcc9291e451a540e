"""One annotator, one vote an image: answers that stand in a vote table twice."""

from typing import NamedTuple

import pandas as pd

from data.errors import InputError, name_some
from data.tables.columns import TIMES
from data.tables.times import read_times

_MANY = 10
"""Rows that nobody gives twice in the same order by chance."""


class Once(NamedTuple):
    """The votes that count."""

    rows: pd.DataFrame
    notices: tuple[str, ...]


def drop_second_copy(rows: pd.DataFrame, source: str) -> Once:
    """Takes a table once that was appended to itself, where no annotator's name lets the repeats be found.

    Its sign: the rows of the second half are those of the first in the same order, ten or more, on several images.

    Args:
        rows: columns image and label, and whatever else the table says.
        source: the table's name, for the messages.
    """
    if "annotator" in rows and (rows["annotator"] != "").any():
        return Once(rows, ())
    half = len(rows) // 2
    first, second = rows.iloc[:half], rows.iloc[len(rows) - half :]
    even = len(rows) == 2 * half >= 2 * _MANY
    if even and first["image"].nunique() > 1 and first.equals(second.set_axis(first.index)):
        text = (
            f"{source}: its {len(rows)} rows are the same {half} twice, in the same order, as where a table is appended"
            " to itself: they count once; where all are votes of their own, add a column `annotator`"
        )
        return Once(first, (text,))
    again = int(rows.duplicated(["image", "label"]).sum()) if "votes" in rows else 0
    text = (
        f"{source}: {again} row(s) name an image and label that an earlier row has too, and their votes are added;"
        " remove them where they say the same again"
    )
    return Once(rows, (text,) if again else ())


def drop_repeats(rows: pd.DataFrame, source: str) -> Once:
    """Takes one answer of each annotator on each image (and round, where the table has the column).

    The same label again counts once. Of different labels the last by time counts. Rows without an annotator, and those
    that sum up several votes, are left alone: nothing tells them from other people's.

    Args:
        rows: columns image and label, and what there is of annotator, votes, round and a time (`TIMES`).
        source: the table's name, for the messages.

    Raises:
        InputError: different answers of one annotator on one image, and no time says which was the last.
    """
    if "annotator" not in rows:
        return Once(rows, ())
    person = ["image", "annotator"]
    if "round" in rows:
        # the votes of before the first round have none
        rows, person = rows.assign(round=_name_rounds(rows["round"])), [*person, "round"]
    single = rows["annotator"] != ""
    if "votes" in rows:
        single &= rows["votes"].eq(1)
    repeated = single & rows.duplicated(person, keep=False)
    if not repeated.any():
        return Once(rows, ())
    timed, found, why = _order_by_time(rows, repeated)
    found = found[found.duplicated(person, keep=False)]
    disputed = found.drop_duplicates([*person, "label"]).duplicated(person, keep=False)
    disputed = disputed[disputed].index
    if len(disputed):
        _check_order(found, person, why, source)
    kept = found.drop_duplicates(person, keep="last").index
    dropped = found.index.difference(kept)
    if not len(dropped):
        return Once(rows, ())
    n_changed = int(rows.loc[disputed, person].drop_duplicates().shape[0])
    return Once(timed.drop(index=dropped), (_describe(rows.loc[dropped], n_changed, source),))


def _order_by_time(rows: pd.DataFrame, repeated: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """All rows with their times as ISO 8601, the repeated ones by time, and why that may be no order."""
    time = next((column for column in TIMES if column in rows), "")
    if not time:
        return rows, rows[repeated], "nothing says which was the last"
    # by the whole column, of which one time may tell whether the day or the month is first
    times, doubt = read_times(rows[time])
    found = rows[repeated].assign(_time=times[repeated])
    found = found.sort_values("_time", kind="stable", na_position="first")
    return rows.assign(**{time: _write_times(rows[time], times)}), found, doubt or f"column {time} gives no order"


def _name_rounds(given: pd.Series) -> pd.Series:
    """Rounds as text: 0 where there is none, and 1.0, which a column with gaps makes of it, as 1."""
    text = given.fillna("").astype(str).str.strip()
    return text.str.replace(r"^(\d+)\.0+$", r"\1", regex=True).replace("", "0")


def _write_times(given: pd.Series, times: pd.Series) -> pd.Series:
    """The times as ISO 8601: the row that told which number is the day may be one of those that do not count."""
    if not pd.api.types.is_datetime64_any_dtype(times):
        return given
    return given.where(times.isna(), times.map(lambda time: time.isoformat(), na_action="ignore"))


def _check_order(found: pd.DataFrame, person: list[str], why: str, source: str) -> None:
    """Raises InputError where no time tells which of an annotator's different answers was the last."""
    if "_time" in found:
        last = found.groupby(person)["_time"].transform("max")
        unclear = found[found["_time"].isna() | (found["_time"] == last)]
    else:
        unclear = found
    unclear = unclear.drop_duplicates([*person, "label"])
    unclear = unclear[unclear.duplicated(person, keep=False)]
    if not len(unclear):
        return
    answers = unclear.groupby(person[:2], sort=False)["label"].agg(" and ".join)
    shown = name_some([f"{image} by {annotator}: {labels}" for (image, annotator), labels in answers.items()], 5)
    raise InputError(
        f"{source}: {len(answers)} time(s) an annotator gave one image different labels, and {why}: {shown}. Keep one"
        " row of each; or add a column `at` with the time of each answer, and the last counts; or, where each is a vote"
        " of its own, a column `round` that numbers an annotator's answers."
    )


def _describe(dropped: pd.DataFrame, n_changed: int, source: str) -> str:
    shown = name_some([f"{row.image} by {row.annotator}" for row in dropped.head(4).itertuples()], 3)
    again = f"; {n_changed} time(s) with another label, of which the last by time counts" if n_changed else ""
    return f"{source}: {len(dropped)} row(s) repeat an annotator's answer on an image and do not count ({shown}){again}"
