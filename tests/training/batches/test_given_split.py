"""A split of the user's own is taken as it is, or every fault is told."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from training.batches.given_split import read_split

IMAGES = ["a.png", "b.png", "c.png", "d.png"]
COUNTS = np.array([[2, 0], [0, 2], [1, 1], [0, 0]])


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["image,part", *rows]) + "\n")
    return path


def test_parts_are_taken_and_train_is_by_votes(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "b.png,Validation", "a.png,train", "d.png,train", "c.png,test")
    split, notices = read_split(path, IMAGES, COUNTS)
    assert [rows.tolist() for rows in split] == [[0], [3], [1], [2], []]
    assert notices == ()


def test_what_has_no_votes_cannot_measure_and_waits(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "a.png,labelled", "b.png,unlabelled", "c.png,validation", "d.png,validation")
    assert [rows.tolist() for rows in read_split(path, IMAGES, COUNTS)[0]] == [[0], [1], [2], [], [3]]
    path = write(tmp_path / "s.csv", "a.png,labelled", "b.png,unlabelled", "c.png,validation", "d.png,test")
    assert [rows.tolist() for rows in read_split(path, IMAGES, COUNTS)[0]] == [[0], [1], [2], [], [3]]


def test_images_named_in_another_way_are_found_and_this_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "x/a.png,train", "x/b.png,validation", "x/c.png,test", "x/d.png,train")
    split, notices = read_split(path, IMAGES, COUNTS)
    assert [rows.tolist() for rows in split] == [[0], [3], [1], [2], []]
    assert "s.csv" in "\n".join(notices)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "a.png,dev", "b.png,train", "b.png,test", "d.png,labelled", "zebra.png,test")
    with pytest.raises(InputError) as caught:
        read_split(path, IMAGES, COUNTS)
    text = str(caught.value)
    assert "unknown part(s) 'dev': known are train, labelled, unlabelled, validation, test, waiting" in text
    assert "1 image(s) in two parts: b.png" in text
    assert "1 of 4 images have no part: c.png" in text
    assert "1 labelled image(s) without votes: d.png" in text
    assert "1 image(s) that are not there" in text
    assert "zebra.png" in text


def test_a_table_without_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("image,fold\na.png,1\n")
    with pytest.raises(InputError, match="lacks the column"):
        read_split(tmp_path / "s.csv", IMAGES, COUNTS)
