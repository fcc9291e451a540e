import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import Origin
from data.verdicts import Verdict, to_table
from relabel.merge import MergeOptions, merge
from relabel.soft_labels.ballots import NOTHING, gather_ballots

VERDICT = Verdict(
    "a.png", "Ann", "cat", 1.0, "2026-01-01T10:00:00+00:00", 1, "review", "image", "", "proposal", "cat", "run",
    "accepted",
)  # fmt: skip


def test_votes_and_verdicts_are_joined() -> None:
    votes = pd.DataFrame({"image": ["a.png", "b.png"], "label": ["dog", "cat"], "votes": [2, 1]})
    ballots = gather_ballots([votes, to_table([VERDICT])])
    assert ballots.images == ("a.png", "b.png")
    assert ballots.classes == ("cat", "dog")
    np.testing.assert_array_equal(ballots.counts, [[1, 2], [1, 0]])
    np.testing.assert_array_equal(ballots.annotator, [NOTHING, NOTHING, NOTHING, 0])


def test_a_proposal_counts_as_shown_only_where_it_was() -> None:
    changed = VERDICT._replace(annotator="Bob", label="dog", outcome="changed")
    control = VERDICT._replace(annotator="Cem", arm="control", outcome="manual")
    bulk = VERDICT._replace(annotator="Dan", outcome="bulk")
    ballots = gather_ballots([to_table([VERDICT, changed, control, bulk])])
    np.testing.assert_array_equal(ballots.shown, [0, 0, NOTHING, NOTHING])
    np.testing.assert_array_equal(ballots.label, [0, 1, 0, 0])


def test_images_without_a_label_are_left_out() -> None:
    skipped = VERDICT._replace(image="b.png", label="", outcome="skipped")
    excluded = VERDICT._replace(image="c.png", label="", outcome="excluded", unit="cluster")
    assert gather_ballots([to_table([VERDICT, skipped, excluded])], ("cat", "dog")).images == ("a.png",)


def test_classes_of_proposals_are_known_without_a_vote() -> None:
    assert gather_ballots([to_table([VERDICT._replace(proposal="dog", outcome="changed")])]).classes == ("cat", "dog")


def test_all_faults_are_named_at_once() -> None:
    votes = pd.DataFrame({"image": ["a", "b", "c"], "label": ["cat", "", "cow"], "votes": [1, 1, -2]})
    with pytest.raises(InputError, match=r"(?s)cow.*empty label\(s\): b.*c -> cow: -2"):
        gather_ballots([votes], ("cat", "dog"))


def test_tables_without_votes_are_refused() -> None:
    with pytest.raises(InputError, match="no row with a label"):
        gather_ballots([to_table([VERDICT._replace(label="", outcome="skipped")])])


def test_verdicts_count_as_they_do_when_merged() -> None:
    """Repeated, given anew, taken back: `dc3 merge` and soft labels take over the same votes."""
    later = "2026-01-01T11:00:00+00:00"
    in_cluster = VERDICT._replace(image="c.png", unit="cluster", cluster="1")
    table = to_table(
        [
            VERDICT,
            VERDICT,
            VERDICT._replace(label="dog", outcome="changed", at=later),
            VERDICT._replace(image="b.png"),
            in_cluster,
            in_cluster._replace(label="", outcome="excluded", at=later),
        ]
    )
    ballots = gather_ballots([table, table], ("cat", "dog"))
    assert ballots.images == ("a.png", "b.png")
    np.testing.assert_array_equal(ballots.counts, [[0, 1], [1, 0]])
    assert [line.split(" ")[0] for line in ballots.notices] == ["7", "2"]
    merged = merge(
        pd.DataFrame({"image": [], "label": []}),
        table,
        ["a.png", "b.png", "c.png"],
        Origin("run", ("cat", "dog"), 1, 0.1, 0),
        MergeOptions(),
    )
    found = merged.votes.groupby(["image", "label"])["votes"].sum()
    assert found.to_dict() == {("a.png", "dog"): 1, ("b.png", "cat"): 1}


def test_an_answer_that_is_merged_already_counts_once_and_keeps_what_was_shown() -> None:
    merged = pd.DataFrame(
        {"image": ["a.png", "a.png"], "label": ["dog", "cat"], "annotator": ["Ann"] * 2, "round": ["0", "1"]}
    )
    ballots = gather_ballots([to_table([VERDICT]), merged])
    np.testing.assert_array_equal(ballots.counts, [[1, 1]])
    assert sorted(ballots.shown.tolist()) == [NOTHING, 0]


@pytest.mark.parametrize(
    ("votes", "message"), [(1e19, r"up to 1,000,000,000; row\(s\) a -> cat: 1e\+19"), (1e9, "one by one")]
)
def test_counts_beyond_reason_are_refused_before_they_fill_the_memory(votes: float, message: str) -> None:
    table = pd.DataFrame({"image": ["a", "b"], "label": ["cat", "dog"], "votes": [votes, 1]})
    with pytest.raises(InputError, match=message):
        gather_ballots([table])


@pytest.mark.parametrize("time", ["at", "updated_at"])
def test_of_an_annotators_answers_in_two_tables_the_last_by_time_counts(time: str) -> None:
    first = pd.DataFrame({"image": ["a", "b"], "label": ["cat", "dog"], "annotator": "Ann", time: "2026-02-01T00:00Z"})
    second = first.assign(label=["dog", "dog"], **{time: "2026-01-01T00:00Z"})
    np.testing.assert_array_equal(gather_ballots([first, second]).counts, [[1, 0], [0, 1]])
    with pytest.raises(InputError, match="The tables together: 1 time"):
        gather_ballots([table.drop(columns=time) for table in (first, second)])


def test_no_table_and_a_class_mixed_are_refused() -> None:
    with pytest.raises(InputError, match="at least one table"):
        gather_ballots([])
    with pytest.raises(InputError, match="a class called 'Mixed': relabelling calls clusters"):
        gather_ballots([pd.DataFrame({"image": ["a", "b"], "label": ["cat", "Mixed"]})])
