"""One annotator, one vote an image: answers that stand in a vote table twice."""

from typing import NamedTuple

import pandas as pd

from training.errors import InputError, name_some

TIMES = ("at", "updated_at", "created_at", "timestamp")
"""Columns that say when an answer was given; the first that a table has is taken."""


class Once(NamedTuple):
    """The votes that count."""

    rows: pd.DataFrame
    notices: tuple[str, ...]


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
        rows, person = rows.assign(round=rows["round"].fillna("").astype(str).replace("", "0")), [*person, "round"]
    single = rows["annotator"] != ""
    if "votes" in rows:
        single &= rows["votes"].eq(1)
    repeated = single & rows.duplicated(person, keep=False)
    if not repeated.any():
        return Once(rows, ())
    found = rows[repeated]
    time = next((column for column in TIMES if column in rows), "")
    if time:
        found = _order_by_time(found, time, source)
    found = found[found.duplicated(person, keep=False)]
    disputed = found.drop_duplicates([*person, "label"]).duplicated(person, keep=False)
    disputed = disputed[disputed].index
    if len(disputed):
        _check_order(found, person, time, source)
    kept = found.drop_duplicates(person, keep="last").index
    dropped = found.index.difference(kept)
    if not len(dropped):
        return Once(rows, ())
    n_changed = int(rows.loc[disputed, person].drop_duplicates().shape[0])
    return Once(rows.drop(index=dropped), (_describe(rows.loc[dropped], n_changed, source),))


def _order_by_time(found: pd.DataFrame, column: str, source: str) -> pd.DataFrame:
    given = found[column]
    numbers = pd.to_numeric(given, errors="coerce")
    times = numbers if numbers.notna().all() else pd.to_datetime(given, utc=True, errors="coerce", format="ISO8601")
    if times.isna().all():
        times = pd.to_datetime(given, utc=True, errors="coerce", format="mixed")
    return found.assign(_time=times).sort_values("_time", kind="stable", na_position="first")


def _check_order(found: pd.DataFrame, person: list[str], time: str, source: str) -> None:
    """Raises InputError where no time tells which of an annotator's different answers was the last."""
    if time:
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
    why = f"column {time} gives no order" if time else "nothing says which was the last"
    raise InputError(
        f"{source}: {len(answers)} time(s) an annotator gave one image different labels, and {why}: {shown}. Keep one"
        " row of each; or add a column `at` with the time of each answer, and the last counts; or, where each is a vote"
        " of its own, a column `round` that numbers an annotator's answers."
    )


def _describe(dropped: pd.DataFrame, n_changed: int, source: str) -> str:
    shown = name_some([f"{row.image} by {row.annotator}" for row in dropped.head(4).itertuples()], 3)
    again = f"; {n_changed} time(s) with another label, of which the last by time counts" if n_changed else ""
    return f"{source}: {len(dropped)} row(s) repeat an annotator's answer on an image and do not count ({shown}){again}"
