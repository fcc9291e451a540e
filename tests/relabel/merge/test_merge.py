"""Raw votes and verdicts become the next round's votes; nothing counts twice and nothing is changed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import Origin
from data.verdicts import Verdict, to_table, write_verdicts
from data.votes.reader import read_votes
from data.votes.rounds import Round, read_round
from relabel.merge import MergeOptions, describe_round, merge, write_merged
from relabel.merged_already import refuse_known

ABOUT = Origin("run-1", ("cat", "dog"), 1, 0.1, 0)
IMAGES = ["a", "b", "c", "d"]
BEFORE = pd.DataFrame({"image": ["a", "b", "b"], "label": ["cat", "cat", "dog"], "votes": [3, 1, 1]})
KEEP_ALL = MergeOptions()


def verdict(image: str, label: str, **changes: object) -> Verdict:
    given = Verdict(
        image, "anna", label, 1.5, "2026-01-01T10:00:00+00:00", 1, "review", "image", "", "proposal", "cat", "run-1",
        "accepted",
    )  # fmt: skip
    return given._replace(**changes)  # type: ignore[arg-type]


def counts(votes: pd.DataFrame) -> dict[tuple[str, str], int]:
    sums = votes.groupby(["image", "label"])["votes"].sum()
    return {(str(image), str(label)): int(n) for (image, label), n in sums.items()}


def test_each_vote_is_a_row_and_votes_of_before_stay() -> None:
    table = to_table([verdict("a", "dog"), verdict("c", "cat", annotator="ben", seconds=np.nan)])
    merged = merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL)
    assert counts(merged.votes) == {("a", "cat"): 3, ("b", "cat"): 1, ("b", "dog"): 1, ("a", "dog"): 1, ("c", "cat"): 1}
    assert merged.votes.columns.tolist() == ["image", "label", "annotator", "votes", "seconds", "round"]
    assert merged.votes["round"].tolist() == [0, 0, 0, 1, 1]
    assert merged.votes["annotator"].tolist() == ["", "", "", "anna", "ben"]
    assert merged.votes["seconds"].tolist()[3] == 1.5
    assert merged.votes["seconds"].isna().tolist() == [True, True, True, False, True]


def test_what_changed_is_counted() -> None:
    table = to_table([verdict("b", "dog"), verdict("b", "dog", annotator="ben"), verdict("c", "dog")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL)
    assert (merged.n_before, len(merged.standing.votes), merged.new_images) == (5, 3, 2)
    assert merged.changed_majority == 1  # b turned to dog; c had no majority before
    assert (merged.ambiguous_before, merged.ambiguous_after) == (1 / 2, 1 / 3)


def test_only_outcomes_with_a_label_vote() -> None:
    table = to_table(
        [
            verdict("a", "", outcome="excluded", unit="cluster", cluster="1"),
            verdict("a", "dog", outcome="manual", proposal=""),
            verdict("b", "", outcome="skipped"),
            verdict("c", "cat", outcome="bulk"),
        ]
    )
    assert len(merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL).standing.votes) == 2
    dropped = merge(BEFORE, table, IMAGES, ABOUT, MergeOptions(drop_bulk=True))
    assert (len(dropped.standing.votes), dropped.standing.dropped_bulk) == (1, 1)


def test_a_verdict_that_stands_twice_counts_once() -> None:
    """Two pulls of one project, both given."""
    rows = [verdict("a", "dog"), verdict("c", "cat")]
    merged = merge(BEFORE, pd.concat([to_table(rows), to_table(rows[:1])]), IMAGES, ABOUT, KEEP_ALL)
    assert (len(merged.standing.votes), merged.standing.repeated, merged.standing.superseded) == (2, 1, 0)


def test_the_last_answer_of_an_annotator_in_a_round_counts() -> None:
    later = "2026-01-01T12:30:00+02:00"  # half an hour after 10:00 UTC, though it sorts below as text of another zone
    table = to_table([verdict("c", "dog", at=later, tool="label-studio"), verdict("c", "cat")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL)
    assert counts(merged.votes)["c", "dog"] == 1
    assert ("c", "cat") not in counts(merged.votes)
    assert merged.standing.superseded == 1


def test_a_vote_that_was_taken_back_is_none() -> None:
    later = "2026-01-01T10:30:00+00:00"
    rows = [
        verdict("c", "cat", unit="cluster", cluster="1"),
        verdict("c", "", unit="cluster", cluster="1", outcome="excluded", at=later),
    ]
    with pytest.raises(InputError, match="no verdict carries a label"):
        merge(BEFORE, to_table(rows[1:]), IMAGES, ABOUT, KEEP_ALL)
    merged = merge(BEFORE, to_table(rows), IMAGES, ABOUT, KEEP_ALL)
    assert (len(merged.standing.votes), merged.standing.superseded) == (0, 1)


def test_a_vote_on_the_image_alone_outlives_its_later_exclusion_from_the_cluster() -> None:
    table = to_table(
        [
            verdict("c", "dog", outcome="manual", proposal=""),
            verdict("c", "", unit="cluster", cluster="1", outcome="excluded", at="2026-01-01T11:00:00+00:00"),
        ]
    )
    assert counts(merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL).votes)["c", "dog"] == 1


def test_an_annotator_may_vote_again_in_another_round() -> None:
    table = to_table([verdict("c", "dog"), verdict("c", "dog", round=2)])
    assert counts(merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL).votes)["c", "dog"] == 2


def test_replace_drops_votes_of_before_where_there_are_new_ones() -> None:
    table = to_table([verdict("b", "dog"), verdict("a", "", outcome="skipped")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, MergeOptions(replace=True))
    assert counts(merged.votes) == {("a", "cat"): 3, ("b", "dog"): 1}
    assert merged.n_before == 3


def test_every_fault_is_named_at_once() -> None:
    table = to_table([verdict("ghost", "dog"), verdict("a", "horse"), verdict("a", "cat", model_version="run-9")])
    with pytest.raises(InputError, match=r"(?s)1 image.*ghost.*horse.*runs than run-1: run-9"):
        merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL)


def test_round_is_recorded_in_the_file_and_raw_files_stay(tmp_path: Path) -> None:
    votes, answers, path = tmp_path / "votes.csv", tmp_path / "verdicts.parquet", tmp_path / "next" / "votes.parquet"
    BEFORE.to_csv(votes, index=False)
    write_verdicts(to_table([verdict("c", "cat", seconds=2.25)]), answers)
    raw = votes.read_bytes(), answers.read_bytes()
    described = describe_round(votes, [answers], ABOUT)
    table = to_table([verdict("c", "cat", seconds=2.25)])
    write_merged(merge(read_votes(votes).rows, table, IMAGES, ABOUT, KEEP_ALL).votes, described, path)
    assert (votes.read_bytes(), answers.read_bytes()) == raw
    found = read_round(path)
    assert found == described
    assert found is not None
    assert (found.number, found.parent_run, found.verdicts[0].name) == (1, "run-1", "verdicts.parquet")
    assert len(found.verdicts[0].sha256) == 64
    assert read_votes(path).rows["seconds"].tolist()[-1] == 2.25
    assert [file.name for file in path.parent.iterdir()] == ["votes.parquet"]


def write_round(path: Path, number: int, verdicts: tuple = ()) -> Path:
    write_merged(merge(BEFORE, to_table([verdict("c", "cat")]), IMAGES, ABOUT, KEEP_ALL).votes,
                 Round(number, "run-0", verdicts), path)  # fmt: skip
    return path


def test_a_round_is_not_merged_twice(tmp_path: Path) -> None:
    answers = tmp_path / "more.parquet"
    write_verdicts(to_table([verdict("a", "cat")]), answers)
    with pytest.raises(InputError, match="result of round 1, and these are proposals of round 1"):
        describe_round(write_round(tmp_path / "votes.parquet", 1), [answers], ABOUT)


def test_verdict_files_that_are_in_already_are_refused_and_those_of_before_are_kept(tmp_path: Path) -> None:
    answers = tmp_path / "old.parquet"
    write_verdicts(to_table([verdict("a", "cat")]), answers)
    second = Origin("run-2", ABOUT.classes, 2, 0.1, 0)
    first = describe_round(tmp_path / "votes.csv", [answers], ABOUT).verdicts
    votes = write_round(tmp_path / "votes.parquet", 1, first)
    with pytest.raises(InputError, match=r"holds the verdicts of old\.parquet already"):
        describe_round(votes, [answers], second)
    write_verdicts(to_table([verdict("b", "cat")]), answers)
    assert [file.name for file in describe_round(votes, [answers], second).verdicts] == ["old.parquet", "old.parquet"]


def test_raw_votes_and_tables_of_others_have_no_round(tmp_path: Path) -> None:
    BEFORE.to_csv(tmp_path / "votes.csv", index=False)
    BEFORE.to_parquet(tmp_path / "votes.parquet")
    assert read_round(tmp_path / "votes.csv") is None
    assert read_round(tmp_path / "votes.parquet") is None
    assert read_round(Path()) is None


def test_replace_without_bulk_keeps_the_votes_of_images_with_bulk_answers_alone() -> None:
    table = to_table([verdict("a", "dog", outcome="bulk"), verdict("b", "dog")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, MergeOptions(drop_bulk=True, replace=True))
    assert counts(merged.votes) == {("a", "cat"): 3, ("b", "dog"): 1}


def test_an_answer_of_ones_own_outlives_a_later_copy_that_is_left_out() -> None:
    table = to_table([verdict("c", "cat"), verdict("c", "dog", outcome="bulk", at="2026-01-01T11:00:00+00:00")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, MergeOptions(drop_bulk=True))
    assert counts(merged.votes)["c", "cat"] == 1
    assert (merged.standing.dropped_bulk, merged.standing.superseded) == (1, 0)


def test_a_class_may_lose_its_last_vote_and_is_named() -> None:
    table = to_table([verdict("b", "cat"), verdict("a", "cat")])
    merged = merge(BEFORE, table, IMAGES, ABOUT, MergeOptions(replace=True))
    assert counts(merged.votes) == {("a", "cat"): 1, ("b", "cat"): 1}
    assert merged.lost_classes == ("dog",)
    assert merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL).lost_classes == ()


def test_a_tie_that_is_settled_is_a_changed_majority() -> None:
    """b is tied before; whichever class wins, the majority is another than before."""
    for label in ("cat", "dog"):
        assert merge(BEFORE, to_table([verdict("b", label)]), IMAGES, ABOUT, KEEP_ALL).changed_majority == 1


@pytest.mark.parametrize("with_round", [True, False])
def test_the_csv_copy_of_a_round_is_not_merged_twice(tmp_path: Path, with_round: bool) -> None:
    table = to_table([verdict("a", "dog", seconds=2.25), verdict("c", "cat", annotator="ben", seconds=1.125)])
    merged = merge(BEFORE, table, IMAGES, ABOUT, KEEP_ALL).votes
    copy = merged if with_round else merged.drop(columns="round")
    copy.to_csv(tmp_path / "copy.csv", index=False)
    votes = read_votes(tmp_path / "copy.csv").rows
    with pytest.raises(InputError, match=r"2 of 2 verdicts stand in the votes already.*before round 1"):
        refuse_known(votes, table, 1)
    refuse_known(votes, to_table([verdict("a", "cat", seconds=2.25), verdict("c", "cat", seconds=9.0)]), 1)


def test_rounds_of_one_annotator_all_count_when_read_again(tmp_path: Path) -> None:
    """An annotator who voted before and in the round has two votes, also in the files of earlier versions."""
    raw = pd.DataFrame({"image": ["a", "b"], "label": ["cat", "dog"], "annotator": ["anna", "ben"]})
    merged = merge(raw, to_table([verdict("a", "dog")]), IMAGES, ABOUT, KEEP_ALL).votes
    merged.to_csv(tmp_path / "v.csv", index=False)
    write_merged(merged.drop(columns="round"), Round(1, "run-0", ()), tmp_path / "v.parquet")
    for name in ("v.csv", "v.parquet"):
        found = read_votes(tmp_path / name)
        assert counts(found.rows.fillna({"votes": 1})) == {("a", "cat"): 1, ("a", "dog"): 1, ("b", "dog"): 1}
        assert found.notices == ()
