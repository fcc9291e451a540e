"""From votes to counts, soft labels, majority, ambiguous share and class weights."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.data.votes import (
    ambiguous_share,
    class_weights,
    count_votes,
    is_ambiguous,
    majority,
    read_votes,
    soft_labels,
    vote_entropy,
)
from training.errors import InputError

TABLE = pd.DataFrame({"image": ["a", "a", "b", "c"], "label": ["cat", "dog", "dog", "cat"], "votes": [3, 1, 5, 2]})


def test_counts_follow_the_given_order_of_images_and_sorted_classes() -> None:
    votes = count_votes(TABLE, ["c", "a", "b", "nobody voted"])
    assert votes.classes == ("cat", "dog")
    assert votes.counts.tolist() == [[2, 0], [3, 1], [0, 5], [0, 0]]


def test_rows_without_a_count_are_one_vote_each() -> None:
    votes = count_votes(TABLE.drop(columns="votes"), ["a", "b", "c"], ["dog", "cat"])
    assert votes.counts.tolist() == [[1, 1], [1, 0], [0, 1]]


def test_measures_of_votes() -> None:
    counts = np.array([[2, 2], [4, 0], [0, 0], [1, 3]])
    assert soft_labels(counts).tolist() == [[0.5, 0.5], [1, 0], [0, 0], [0.25, 0.75]]
    assert majority(counts, list("abcd"), 0)[1:].tolist() == [0, 0, 1]
    assert is_ambiguous(counts).tolist() == [True, False, False, True]
    assert ambiguous_share(counts) == pytest.approx(2 / 3)
    assert vote_entropy(counts)[:3] == pytest.approx([np.log(2), 0, 0])


def test_class_weights_make_every_class_count_the_same() -> None:
    targets = np.eye(3)[[0, 0, 0, 1]]
    weights = class_weights(targets)
    assert weights == pytest.approx([4 / 9, 4 / 3, 0])
    assert (targets @ weights)[:3].sum() == pytest.approx((targets @ weights)[3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": ["a", "a", "b", "x"]}, "not there: x"),
        ({"votes": [3, 0, 5, 2]}, r"a -> dog: 0"),
        ({"votes": [3, -1, 5, 2]}, r"a -> dog: -1"),
        ({"votes": [3, 1.5, 5, 2]}, r"a -> dog: 1.5"),
        ({"label": ["cat", "", "dog", "cat"]}, "empty label"),
        ({"label": ["cat"] * 4}, "at least two classes are needed, found cat"),
    ],
)
def test_faults_name_the_item(change: dict[str, list[object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        count_votes(TABLE.assign(**change), ["a", "b", "c"])


def test_unknown_label_and_empty_class_are_named_together() -> None:
    with pytest.raises(InputError, match=r"label\(s\) cat that are none(.|\n)*without any vote: fox"):
        count_votes(TABLE, ["a", "b", "c"], ["dog", "fox"])


def test_many_faulty_items_are_listed_up_to_a_limit() -> None:
    table = pd.DataFrame({"image": [f"i{n}" for n in range(30)], "label": ["cat", "dog"] * 15})
    with pytest.raises(InputError, match=r"30 image.*i0, i1, .* and 10 more"):
        count_votes(table, ["a"])


def test_csv_and_parquet_read_alike_and_keep_odd_class_names(tmp_path: Path) -> None:
    table = TABLE.assign(label=["NA", "007", "007", "null"], annotator="me", seconds=1.5)
    table.to_csv(tmp_path / "v.csv", index=False)
    table.to_parquet(tmp_path / "v.parquet")
    for name in ("v.csv", "v.parquet"):
        read = read_votes(tmp_path / name).rows
        assert read["label"].tolist() == ["NA", "007", "007", "null"]
        assert count_votes(read, ["a", "b", "c"]).counts.sum() == 11


def test_unusable_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No vote table"):
        read_votes(tmp_path / "none.csv")
    (tmp_path / "v.csv").write_text("image,klass\na,cat\n")
    with pytest.raises(InputError, match=r"lacks the column.*label; it has image, klass"):
        read_votes(tmp_path / "v.csv")
    (tmp_path / "v.csv").write_bytes(b"\xff\xfe\x00image")
    with pytest.raises(InputError, match="cannot be read"):
        read_votes(tmp_path / "v.csv")
    (tmp_path / "v.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        read_votes(tmp_path / "v.parquet")
