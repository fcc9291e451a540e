"""Images that belong together have one key, whatever the order and the names; groups are read from a table."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.groups import key_images, read_groups

IMAGES = ("a", "b", "c", "d", "e", "f")


def together(keys: np.ndarray) -> set[frozenset[str]]:
    return {frozenset(np.array(IMAGES)[keys == key].tolist()) for key in keys}


def test_links_are_followed_through_groups_bytes_and_near_pictures() -> None:
    digests = ("1", "2", "2", "4", "5", "6")
    keys = key_images(IMAGES, digests, ("", "", "p", "p", "", ""), np.array([[3, 4]]))
    assert together(keys) == {frozenset("a"), frozenset("bcde"), frozenset("f")}


def test_a_key_hangs_on_content_or_group_and_on_no_other_image() -> None:
    alone = key_images(("x",), ("1",))[0]
    assert key_images(("other name", "y"), ("1", "2"))[0] == alone
    group = key_images(("x",), ("1",), ("p",))[0]
    assert key_images(("y", "x"), ("7", "1"), ("p", "p")).tolist() == [group, group]
    assert group != alone


def test_a_file_or_a_column_of_the_votes_names_the_groups(tmp_path: Path) -> None:
    votes, table = tmp_path / "votes.csv", tmp_path / "groups.csv"
    votes.write_text("image,label,Patient\na,x,1\na,y,1\nb,x,2\nc,x,\n")
    table.write_text("image,specimen\na,1\nb,2\nzebra,3\n")
    by_column, by_file = (read_groups(given, votes, IMAGES[:3]) for given in ("patient", str(table)))
    assert by_column.names == by_file.names == ("1", "2", "")
    assert "1 image(s) have no group and stand alone: c" in by_file.notices[-1]


def test_of_several_columns_group_names_the_groups(tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("image,lens,group\na,wide,1\nb,wide,2\nc,wide,1\n")
    assert read_groups(str(table), tmp_path / "votes.csv", IMAGES[:3]).names == ("1", "2", "1")
    table.write_text("image,lens,patient\na,wide,1\n")
    with pytest.raises(InputError, match="must have the columns image and group; it has image, lens, patient"):
        read_groups(str(table), tmp_path / "votes.csv", IMAGES)


def test_which_member_names_joined_groups_hangs_on_no_order_of_their_names() -> None:
    """Else the lab's way of numbering would decide which images measure."""
    first = 0
    for number in range(40):
        names = (f"a{number}", f"b{number}")
        alone = [key_images(("x",), ("1",), (name,))[0] for name in names]
        joined = key_images(("x", "y"), ("1", "2"), names, np.array([[0, 1]]))
        assert joined[0] == joined[1]
        first += alone.index(joined[0]) == 0
    assert 5 < first < 35


@pytest.mark.parametrize(
    ("given", "text", "message"),
    [
        ("patient", "image,label\na,x\n", "neither a file nor a column of .* image, label"),
        ("none.csv", "image,label\na,x\n", "there is no such file"),
        ("patient", "image,label,patient\na,x,1\na,y,2\n", r"1 image\(s\) are in several groups: a \(1, 2\)"),
        ("patient", "image,label,patient\na,x,\n", "gives none of the 6 images a group"),
    ],
)
def test_groups_that_cannot_be_read_are_refused(tmp_path: Path, given: str, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_groups(given, tmp_path / "votes.csv", IMAGES)
