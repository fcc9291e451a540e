"""An annotator has one vote on an image, however often a table says so."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.votes.repeats import drop_repeats, drop_second_copy

ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from(["", "anna", "ben"])))


def table(rows: list[tuple[str, ...]], *more: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image", "label", "annotator", *more])


@settings(max_examples=30)
@given(ROWS)
def test_rows_appended_again_change_nothing(rows: list[tuple[str, str, str]]) -> None:
    named = [row for row in rows if row[2]]
    once = table(list({(row[0], row[2]): row for row in named}.values()))
    twice = drop_repeats(pd.concat([once, once], ignore_index=True), "v.csv")
    pd.testing.assert_frame_equal(twice.rows.reset_index(drop=True), once)
    assert len(twice.notices) == (len(once) > 0)


@settings(max_examples=20)
@given(ROWS.map(lambda rows: [row for row in rows if not row[2]]))
def test_votes_of_nobody_known_all_count(rows: list[tuple[str, str, str]]) -> None:
    assert len(drop_repeats(table(rows), "v.csv").rows) == len(rows)


@pytest.mark.parametrize("column", ["at", "created_at", "timestamp"])
@pytest.mark.parametrize(
    ("first", "second"),
    [("2026-01-02T10:00:00Z", "2026-01-02T10:30:00+01:00"), ("2", "1"), ("2026-01-02 10:00", "2026-01-01 23:00")],
)
def test_the_last_by_time_counts_whatever_the_order_of_the_rows(column: str, first: str, second: str) -> None:
    found = drop_repeats(table([("a", "x", "anna", first), ("a", "y", "anna", second)], column), "v.csv")
    assert found.rows["label"].tolist() == ["x"]
    assert found.notices == (
        "v.csv: 1 row(s) repeat an annotator's answer on an image and do not count (a by anna); 1 time(s) with another"
        " label, of which the last by time counts",
    )


@pytest.mark.parametrize("times", [("", ""), ("2026-01-01", ""), ("2026-01-01", "2026-01-01"), ("soon", "later")])
def test_without_an_order_different_answers_are_refused_with_the_remedy(times: tuple[str, str]) -> None:
    rows = table([("a", "x", "anna", times[0]), ("a", "y", "anna", times[1])], "at")
    for given_table in (rows, rows.drop(columns="at")):
        with pytest.raises(InputError, match=r"v\.csv: 1 time.*a by anna: .* and .*column `at`.*column `round`"):
            drop_repeats(given_table, "v.csv")


def test_rounds_and_sums_of_votes_are_no_repeats() -> None:
    assert len(drop_repeats(table([("a", "x", "anna", ""), ("a", "y", "anna", "1")], "round"), "v").rows) == 2
    assert len(drop_repeats(table([("a", "x", "anna", ""), ("a", "x", "anna", "0")], "round"), "v").rows) == 1
    crowd = table([("a", "x", "crowd", 30), ("a", "y", "crowd", 5)], "votes")
    assert len(drop_repeats(crowd, "v").rows) == 2
    assert len(drop_repeats(table([("a", "x", "anna", "1"), ("a", "x", "anna", "1.0")], "round"), "v").rows) == 1


@pytest.mark.parametrize(
    ("first", "second", "other", "last"),
    [
        ("03/02/2026 10:00", "02/03/2026 10:00", "13/02/2026", "y"),
        ("03/02/2026 10:00", "02/03/2026 10:00", "02/13/2026", "x"),
        ("3.2.2026, 10:00", "2.3.2026, 9:00", "13.02.2026", "y"),
        ("2026-02-03T10:00", "3 March 2026", "", "y"),
        ("2026-02-03 09:00 PM", "2026-02-03 10:00 AM", "", "x"),
    ],
)
def test_one_time_tells_for_the_whole_column_whether_the_day_is_first(
    first: str, second: str, other: str, last: str
) -> None:
    rows = table([("a", "x", "anna", first), ("a", "y", "anna", second), ("b", "x", "ben", other)], "at")
    for order in (rows, rows.iloc[::-1]):
        once = drop_repeats(order, "v.csv").rows
        assert once.loc[once["image"] == "a", "label"].tolist() == [last]


@pytest.mark.parametrize("other", ["", "13/02/2026 and 02/13/2026"])
def test_days_that_could_be_months_are_refused_with_the_remedy(other: str) -> None:
    rows = [("a", "x", "anna", "03/02/2026"), ("a", "y", "anna", "02/03/2026")]
    rows += [("b", "x", str(number), time) for number, time in enumerate(other.split(" and "))]
    with pytest.raises(InputError, match=r"day.*03/02/2026.*write times as 2026-03-01T12:00"):
        drop_repeats(table(rows, "at"), "v.csv")


def test_times_that_do_not_count_still_told_which_number_is_the_day() -> None:
    rows = table([("a", "x", "anna", "13/02/2026"), ("a", "y", "anna", "01/03/2026")], "at")
    once = drop_repeats(rows, "v.csv").rows
    assert once["at"].tolist() == ["2026-03-01T00:00:00+00:00"]


def test_a_table_appended_to_itself_counts_once_where_nobody_is_named() -> None:
    rows = pd.DataFrame({"image": [str(number // 3) for number in range(12)], "label": ["x", "y"] * 6})
    twice = pd.concat([rows, rows], ignore_index=True)
    found = drop_second_copy(twice, "v.csv")
    pd.testing.assert_frame_equal(found.rows, rows)
    assert found.notices[0].startswith("v.csv: its 24 rows are the same 12 twice, in the same order")
    for own in (rows, twice[:23], twice[:18], twice.iloc[::-1].iloc[2:], twice.assign(annotator="anna")):
        assert drop_second_copy(own, "v.csv").notices == (), "no copy, or repeats that the annotator's name shows"
    sums = drop_second_copy(twice.assign(votes=range(24)), "v.csv")
    assert len(sums.rows) == 24
    assert "16 row(s) name an image and label that an earlier row has too" in sums.notices[0]
