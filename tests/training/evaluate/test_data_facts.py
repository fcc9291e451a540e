"""The facts of a data set: counts by hand, duplicates, and what keeps it from a training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.ingest import Dataset
from training.evaluate import data_facts
from training.evaluate.data_facts import DataFacts, _find_crossing, describe_facts, gather_facts
from training.options import SplitOptions

COUNTS = np.array([[3, 0], [2, 1], [9, 1], [0, 2], [1, 1], [0, 0]])


def make(counts: np.ndarray, digests: tuple[str, ...] | None = None, left_out: tuple[str, ...] = ()) -> Dataset:
    names = tuple(f"{number}.png" for number in range(len(counts)))
    images = np.zeros((len(counts), 8, 8, 3), np.uint8)
    return Dataset(images, names, counts, ("cat", "dog"), "f", left_out, digests or names)


def facts(dataset: Dataset, table: pd.DataFrame | None = None, skips: bool = False) -> DataFacts:
    table = pd.DataFrame({"image": [], "label": []}) if table is None else table
    return gather_facts(dataset, table, "", SplitOptions(), 0, skips)


def test_votes_are_counted() -> None:
    found = facts(make(COUNTS))
    assert (found.n_images, found.n_voted, found.n_votes, found.n_tied) == (6, 5, 20, 1)
    assert found.votes_each == (2, 4.0, 10)
    assert found.disputed_any == pytest.approx(3 / 5)
    # 9 of 10 agree: a stray vote; 2 of 3 and 1 of 2 do not
    assert found.disputed_border == pytest.approx(2 / 5)


def test_classes_have_their_majorities_votes_and_disputed_images() -> None:
    cat, dog = facts(make(COUNTS[:4])).classes
    assert (cat.name, cat.images, cat.votes, cat.disputed) == ("cat", 3, 14, 2)
    assert (dog.name, dog.images, dog.votes, dog.disputed) == ("dog", 1, 4, 0)


def test_neither_single_votes_nor_the_border_itself_are_disputes_and_without_votes_there_is_no_class() -> None:
    found = facts(make(np.array([[4, 1], [1, 0], [0, 1], [0, 0], [0, 0]])))
    assert found.disputed_any == 1
    assert found.disputed_border == 0
    assert [entry.images for entry in found.classes] == [2, 1]


def test_near_duplicates_are_told_beside_equal_ones_and_cross_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        data_facts, "find_near", lambda images: np.array([[0, 1], [2, 3]] + [[4, n] for n in range(5, 60)])
    )
    counts = np.eye(2, dtype=int)[np.arange(60) % 2]
    found = facts(make(counts, ("same", "same", *map(str, range(2, 60)))))
    assert found.equal == (("0.png", "1.png"),)
    assert [len(group) for group in found.near] == [2, 56]
    assert [len(group) for group in found.crossing][-1] == 56


def test_single_votes_tell_nothing_of_disputes() -> None:
    found = facts(make(np.eye(2, dtype=int)[np.arange(40) % 2]))
    assert np.isnan(found.disputed_any)
    assert dict(describe_facts(found))["disputed, any other vote"] == "no image has two votes"


@pytest.mark.parametrize(
    ("annotators", "expected"), [(["a", "b", "a"], 2), (["", "", ""], None), ([None, "a", "a"], 1)]
)
def test_annotators_are_counted_where_they_have_names(annotators: list[str | None], expected: int | None) -> None:
    table = pd.DataFrame({"image": ["0.png"] * 3, "label": ["cat"] * 3, "annotator": annotators})
    assert facts(make(COUNTS), table).n_annotators == expected
    assert facts(make(COUNTS), table.drop(columns="annotator")).n_annotators is None


def test_equal_images_are_found_and_those_across_validation_and_training_named() -> None:
    counts = np.eye(2, dtype=int)[np.arange(60) % 2]
    alone = facts(make(counts))
    assert alone.equal == alone.crossing == ()
    everywhere = facts(make(counts, ("same",) * 60))
    assert [len(group) for group in everywhere.equal] == [60]
    assert everywhere.crossing == everywhere.equal


def test_equal_images_of_both_training_parts_do_not_cross() -> None:
    counts = np.concatenate([np.eye(2, dtype=int)[np.arange(60) % 2], np.zeros((2, 2), int)])
    digests = (*map(str, range(60)), "same", "same")
    found = facts(make(counts, digests))  # images without a vote are unlabelled
    assert found.equal == (("60.png", "61.png"),)
    assert found.crossing == ()
    parts = np.array(["labelled", "unlabelled", "validation"])
    groups = (("a", "b"), ("b", "c"))
    assert _find_crossing(groups, ("a", "b", "c"), parts) == (("b", "c"),)


def test_a_copy_without_votes_of_a_validation_image_waits_and_does_not_cross() -> None:
    names, groups = ("a", "b", "c", "d"), [("a", "b"), ("c", "d")]
    parts = np.array(["validation", "waiting", "labelled", "waiting"])
    assert _find_crossing(groups, names, parts) == (("c", "d"),)
    assert _find_crossing(groups[:1], names, np.array(["test", "waiting", "test", "test"])) == ()
    assert _find_crossing(groups[:1], names, np.array(["test", "validation", "test", "test"])) == (("a", "b"),)


def test_what_stops_a_training_is_a_fault() -> None:
    enough = np.eye(2, dtype=int)[np.arange(40) % 2]
    assert facts(make(enough)).faults == ()
    assert sum(facts(make(enough)).parts.values()) == 40
    assert facts(make(COUNTS)).parts == {}
    assert "too few of dog" in facts(make(COUNTS[:4])).faults[0]
    assert facts(make(np.zeros((3, 2), int))).faults == ("no image has a vote: name the vote table by --votes",)
    broken = make(enough, left_out=("a.png: damaged",))
    assert "1 image(s) cannot be read" in facts(broken).faults[0]
    assert facts(broken, skips=True).faults == ()


def test_all_of_table_1_is_told(tmp_path: Path) -> None:
    told = dict(describe_facts(facts(make(np.eye(2, dtype=int)[np.arange(40) % 4 // 3]))))
    assert told["smallest and largest class"] == "25.00% and 75.00% of the images with votes"
    assert told["parts"].startswith("labelled 6, unlabelled 26, validation 8")
