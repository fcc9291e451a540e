"""When an answer was given: times as people and programs write them; the whole column tells if the day is first."""

from typing import NamedTuple

import pandas as pd

_DAY_OR_MONTH = r"^\s*(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)(.*)$"
_YEAR = r"(?<!\d)(?:19|20)\d\d(?!\d)"
_REMEDY = "write times as 2026-03-01T12:00"


class Times(NamedTuple):
    """A column of times."""

    values: pd.Series
    """Numbers, or times in UTC; NaN or NaT where the text says none."""
    doubt: str
    """Why days and months cannot be told apart, in words; empty where they can."""


def read_times(given: pd.Series) -> Times:
    """Reads numbers, ISO 8601, and other forms that name the year in full and can mean one time only.

    Of 03/02/2026 the first number is the day where one of the column has a first number above 12, the month where one
    has a second above 12. Where none or both have, all such times are NaT.
    """
    text = given.astype(object).fillna("").astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers[text != ""].notna().all():
        return Times(numbers, "")
    times = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    parts = text.str.extract(_DAY_OR_MONTH)
    parts = parts[parts[0].notna()]
    plain = times.isna() & text.str.contains(_YEAR) & ~text.index.isin(parts.index)
    times[plain] = _parse(text[plain])
    if not len(parts):
        return Times(times, "")
    day_first, month_first = (parts[0].astype(int) > 12).any(), (parts[2].astype(int) > 12).any()
    if day_first == month_first:
        why = (
            "some times have the day first and some the month"
            if day_first
            else "no time says whether the day or the month is first"
        )
        times[parts.index] = pd.NaT
        return Times(times, f"{why} ({text[parts.index[0]]}; {_REMEDY})")
    day, month = (parts[0], parts[2]) if day_first else (parts[2], parts[0])
    times[parts.index] = _parse(parts[3] + "-" + month + "-" + day + parts[4].str.replace(",", " "))
    return Times(times, "")


def _parse(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, utc=True, errors="coerce", format="mixed")
