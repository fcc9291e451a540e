"""Votes that are kept and do not count: 'cannot tell', and classes that are too rare."""

from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.sources.folder import Folder
from data.votes.ignored import mark_ignored
from data.votes.options import VoteOptions
from data.votes.rare import count_led
from data.votes.reader import fit_votes, join_votes, read_votes
from tests.data.votes.forms.reading import count, read

TEXT = "image,label,annotator\na,cat,anna\na,Unknown ,ben\nb,unknown,anna\nc,dog,anna\nd,NF,ben\nd,cat,anna\n"


@pytest.mark.parametrize("said", [("unknown,NF",), ("unknown", "nf")])
def test_votes_that_cannot_tell_are_kept_and_are_no_class(tmp_path: Path, said: tuple[str, ...]) -> None:
    table = read(tmp_path, TEXT, ignore_labels=said)
    assert sorted(table.rows["label"]) == ["cat", "cat", "dog"]
    assert table.ignored["image"].tolist() == ["a", "b", "d"]
    assert "3 vote(s) NF, Unknown , unknown count as 'cannot tell'" in "\n".join(table.notices)
    assert "1 image(s) have no other vote" in "\n".join(table.notices)


def test_a_label_to_ignore_that_nobody_gave_is_named_with_the_nearest(tmp_path: Path) -> None:
    table = read(tmp_path, TEXT, ignore_labels=("unknwon",))
    assert "no vote has the label(s) to ignore unknwon; near are unknown" in "\n".join(table.notices)


def test_a_label_with_a_comma_can_be_ignored(tmp_path: Path) -> None:
    table = read(tmp_path, 'image,label\na,"dark, blurred"\nb,dark\nb,cat\n', ignore_labels=("dark, blurred",))
    assert table.ignored["image"].tolist() == ["a"]
    assert table.rows["label"].tolist() == ["dark", "cat"]


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_written_table_remembers_what_does_not_count(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, TEXT, ignore_labels=("unknown", "NF"))
    rows = mark_ignored(table.rows, table.ignored)
    rows.to_csv(tmp_path / name, index=False) if name == "out.csv" else rows.to_parquet(tmp_path / name, index=False)
    again = fit_votes(read_votes(tmp_path / name), ["x/a", "b", "c", "d"])
    assert count(again) == {("x/a", "cat"): 1, ("c", "dog"): 1, ("d", "cat"): 1}
    assert again.ignored["image"].tolist() == ["x/a", "b", "d"], "under the images' names, too"


RARE = "image,label,votes\n" + "".join(f"{n},cat,3\n{n},eel,1\n" for n in range(5)) + (
    "5,dog,2\n6,dog,2\n7,dog,2\n8,fox,2\n9,eel,2\n10,fox,1\n10,eel,1\n"
)  # fmt: skip
IMAGES = [str(number) for number in range(11)]


def settle(folder: Path, **options: int) -> tuple[dict[tuple[str, str], int], list[str], str]:
    table = fit_votes(read(folder, RARE, **options), IMAGES)
    return count(table), sorted(table.ignored.get("label", [])), "\n".join(table.notices)


def test_a_class_leads_where_it_alone_has_most_votes() -> None:
    rows = pd.DataFrame({"image": ["a", "a", "a", "b", "b"], "label": ["x", "x", "y", "x", "y"]})
    assert count_led(rows) == {"x": 1, "y": 0}


def test_rare_classes_are_merged_or_their_votes_left_uncounted(tmp_path: Path) -> None:
    merged, ignored, said = settle(tmp_path, merge_rare=3)
    assert merged["8", "rare"] == 2
    assert merged["10", "rare"] == 2
    assert merged["0", "rare"] == 1
    assert {label for _, label in merged} == {"cat", "dog", "rare"}
    assert ignored == []
    assert "lead on fewer than 3 images are merged as `rare`: eel (1), fox (1)" in said
    dropped, ignored, said = settle(tmp_path, drop_rare=3)
    assert {label for _, label in dropped} == {"cat", "dog"}
    assert sum(dropped.values()) == 21
    assert set(ignored) == {"eel", "fox"}
    assert "count as 'cannot tell': eel (1), fox (1)" in said
    with pytest.raises(InputError, match="fewer than two classes would be left"):
        settle(tmp_path, drop_rare=5)


def test_a_source_has_no_class_that_was_dropped_and_reads_the_same_again(tmp_path: Path) -> None:
    from PIL import Image

    for name in IMAGES:
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    (tmp_path / "v.csv").write_text(RARE)
    classes = ("fox", "eel", "dog", "cat")
    found = [Folder(tmp_path, tmp_path / "v.csv", classes, reading=VoteOptions(drop_rare=3)) for _ in range(2)]
    assert found[0].classes() == ("dog", "cat")
    assert found[0].votes().equals(found[1].votes())
    merged = Folder(tmp_path, tmp_path / "v.csv", classes, reading=VoteOptions(merge_rare=3))
    assert merged.classes() == ("dog", "cat", "rare")


def test_tables_are_joined_with_what_one_of_them_lacks(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("image,label,annotator\na,cat,anna\n")
    (tmp_path / "two.csv").write_text("image,label,count\na,Cat,4\nb,dog,2\n")
    table = join_votes((tmp_path / "one.csv", tmp_path / "two.csv"))
    assert {image: n for (image, _), n in count(table).items()} == {"a": 5, "b": 2}
    assert table.source == "one.csv and 1 more"
    assert table.rows["annotator"].tolist() == ["anna", "", ""]
