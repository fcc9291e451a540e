"""From votes to counts, soft labels, majority, ambiguous share and class weights."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from data.errors import InputError
from data.votes.counts import (
    ambiguous_share,
    class_weights,
    describe_ties,
    is_ambiguous,
    is_tied,
    is_voted,
    leading,
    majority,
    soft_labels,
    vote_entropy,
)
from data.votes.reader import count_votes, fit_votes, read_votes

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


COUNTS = nst.arrays(np.int64, (40, 3), elements=st.integers(0, 3))
NAMES = [f"{row}.png" for row in range(40)]


@given(COUNTS, st.integers(0, 5), st.permutations(range(40)), st.integers(1, 40))
def test_a_tie_is_broken_alike_in_every_selection_of_the_images(
    counts: np.ndarray, seed: int, order: list[int], n: int
) -> None:
    chosen = order[:n]
    whole = majority(counts, NAMES, seed)
    assert majority(counts[chosen], [NAMES[row] for row in chosen], seed).tolist() == whole[chosen].tolist()
    assert majority(soft_labels(counts), NAMES, seed).tolist() == whole.tolist()
    voted = is_voted(counts)
    assert leading(counts)[voted, whole[voted]].all()
    assert is_tied(counts).tolist() == [list(row).count(max(row)) > 1 and max(row) > 0 for row in counts.tolist()]


def test_tied_classes_have_equal_chances_and_every_seed_draws_anew() -> None:
    """Neither the first class nor always the same class for the same votes; 4 standard errors."""
    n = 6000
    names = [f"image {row}" for row in range(n)]
    for pattern in ([1, 1, 0], [0, 1, 1], [1, 0, 1]):
        drawn = majority(np.tile(pattern, (n, 1)), names, 0)
        assert drawn.mean() * 2 / (np.flatnonzero(pattern).sum()) == pytest.approx(1, abs=0.08)
        assert set(drawn.tolist()) == set(np.flatnonzero(pattern).tolist())
    three = np.bincount(majority(np.ones((n, 3), int), names, 0))
    assert three / n == pytest.approx([1 / 3] * 3, abs=4 * np.sqrt(2 / 9 / n))
    first, second = (majority(np.ones((n, 3), int), names, seed) for seed in (1, 2))
    assert (first == second).mean() == pytest.approx(1 / 3, abs=0.03)


def test_ties_are_counted_in_words() -> None:
    counts = np.array([[2, 2], [4, 0], [0, 0], [1, 1]])
    assert describe_ties(counts)[0].startswith("2 of 3 images with votes have several classes with most votes")
    assert describe_ties(counts[1:3]) == ()


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
        ({"votes": [3, 1e19, 5, 2]}, r"up to 1,000,000,000; 1 row\(s\): a -> dog: 1e\+19"),
        ({"label": ["cat", "Mixed", "dog", "cat"]}, "a class called 'Mixed'"),
        ({"label": ["cat", "mixed", "dog", "cat"]}, "a class called 'mixed': .*give it another name in the votes"),
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
    (tmp_path / "v.csv").write_bytes(b"\xff\xfei\x00m")
    with pytest.raises(InputError, match="cannot be read"):
        read_votes(tmp_path / "v.csv")
    (tmp_path / "v.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        read_votes(tmp_path / "v.parquet")


def test_one_reader_unites_labels_images_and_repeats_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(
        "image,label,annotator\nx/1.jpg,cat,anna\nx/1.jpg,cat,anna\n1.jpg ,Cat,anna\n1.jpg,dog,ben\n2.jpg,cat,NA\n"
    )
    table = read_votes(tmp_path / "v.csv")
    fitted = fit_votes(table, ["1.jpg", "2.jpg"])
    assert fitted.rows.to_dict("list") == {
        "image": ["1.jpg", "1.jpg", "2.jpg"], "label": ["cat", "dog", "cat"], "annotator": ["anna", "ben", ""]
    }  # fmt: skip
    said = "\n".join(fitted.notices)
    assert "takes in 'Cat' (1)" in said
    assert "1 row(s) repeat" in said
    assert "1 image name(s) were matched by what stands after the last /, and folders before it: 'x/1.jpg'" in said
    assert "1 image name(s) were matched by ignoring spaces" in said
    assert len(fitted.notices) == 6, "unknown annotator, labels, a row twice, two ways to match, one image by two names"


def test_a_name_that_could_mean_two_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label\n1.jpg,cat\n")
    with pytest.raises(InputError, match=r"v\.csv: 1 image name.*1\.jpg fits a/1\.jpg, b/1\.jpg.*with their folders"):
        fit_votes(read_votes(tmp_path / "v.csv"), ["a/1.jpg", "b/1.jpg"])


def test_other_images_of_almost_the_same_name_are_not_taken_in_silence(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label\n1.jpg,cat\nx/2.jpg,dog\n")
    fitted = fit_votes(read_votes(tmp_path / "v.csv"), ["1.jpg", "2.jpg"], all_there=False)
    assert fitted.rows["image"].tolist() == ["1.jpg", "x/2.jpg"]
    assert "1 image name(s) almost fit and were taken as other images" in fitted.notices[0]
    assert "'x/2.jpg', not '2.jpg'" in fitted.notices[0]


def test_a_class_may_lose_its_last_vote_where_that_is_no_fault() -> None:
    counts = count_votes(TABLE, ["a", "b", "c"], ["cat", "dog", "fox"], all_voted=False).counts
    assert counts.tolist() == [[3, 1, 0], [0, 5, 0], [2, 0, 0]]


def test_many_classes_and_votes_are_counted_at_once() -> None:
    """A set rebuilt for each class took 138 s for 500,000 votes in 200 classes; 200,000 in 2,000 take a moment."""
    n = 200_000
    table = pd.DataFrame(
        {"image": np.char.mod("%d", np.arange(n) % 50), "label": np.char.mod("%d", np.arange(n) % 2000)}
    )
    start = time.process_time()
    assert count_votes(table, [str(number) for number in range(50)]).counts.sum() == n
    assert time.process_time() - start < 10


def test_a_table_of_more_images_than_are_at_hand_keeps_one_way_of_naming(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label\nC:\\img\\1.jpg,cat\nC:\\img\\2.jpg,dog\n")
    fitted = fit_votes(read_votes(tmp_path / "v.csv"), ["1.jpg"], all_there=False)
    assert fitted.rows["image"].tolist() == ["1.jpg", "2.jpg"]


def test_rows_that_a_quote_swallows_are_not_lost_in_silence(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text('image,label\na,"cat\nb dog"\nc,cat\n')
    with pytest.raises(InputError, match=r"line break in the label of its row\(s\) 1.*Mend the quotes"):
        read_votes(tmp_path / "v.csv")


def test_a_label_of_spaces_alone_is_empty(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label\na,\u00a0\u200b\nb,cat\n")
    with pytest.raises(InputError, match=r"no label in its row\(s\) 1, counted from 1\. Fill them in, or remove"):
        read_votes(tmp_path / "v.csv")


def test_a_column_of_times_is_found_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label,annotator,At\na,cat,anna,2026-01-02\na,dog,anna,2026-01-01\n")
    assert read_votes(tmp_path / "v.csv").rows["label"].tolist() == ["cat"]


def test_a_class_named_twice_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match=r"class\(es\) named more than once: cat"):
        count_votes(TABLE, ["a", "b", "c"], ["cat", "cat", "dog"])


def test_two_people_taken_for_one_are_named_where_their_answers_differ(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("image,label,annotator\na,cat,anna\na,dog,Anna\nb,dog,anna\n")
    with pytest.raises(InputError, match=r"(?s)a by anna: cat and dog.*anna \(2 rows\) takes in 'Anna'.*give two"):
        read_votes(tmp_path / "v.csv")
