"""Which number is the day is told by one above 12, and by nothing else."""

import pandas as pd
import pytest

from data.tables.times import read_times


@pytest.mark.parametrize(("first", "day", "month"), [("13/12/2026", 13, 12), ("12/13/2026", 13, 12)])
def test_a_number_above_12_is_the_day_in_the_whole_column(first: str, day: int, month: int) -> None:
    times = read_times(pd.Series([first, "02/03/2026"]))
    assert times.doubt == ""
    assert (times.values[0].day, times.values[0].month) == (day, month)
    assert (times.values[1].day, times.values[1].month) == ((2, 3) if first.startswith("13") else (3, 2))


@pytest.mark.parametrize("texts", [["12/12/2026", "02/03/2026"], ["13/02/2026", "02/13/2026"]])
def test_where_no_number_or_both_tell_there_is_no_time(texts: list[str]) -> None:
    times = read_times(pd.Series(texts))
    assert times.values.isna().all()
    assert "write times as 2026-03-01T12:00" in times.doubt
