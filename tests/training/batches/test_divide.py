"""What the configuration asks for is how the data are divided, and how many votes train is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from data.errors import InputError
from data.ingest import Dataset
from training.batches.divide import divide
from training.batches.loader import prepare
from training.batches.split import SplitOptions, split_images
from training.batches.votes_used import count_used
from training.config import load_preset

OWN = load_preset("own").split


@pytest.fixture
def dataset() -> Dataset:
    """120 unlike images, votes of 5 with one astray on the first 90; images 2 and 3 are the same file."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (120, 8, 8, 3), np.uint8)
    images = coarse.repeat(4, 1).repeat(4, 2)
    images[3] = images[2]
    labels = np.arange(120) % 2
    counts = np.eye(2, dtype=np.int64)[labels] * 4 + np.eye(2, dtype=np.int64)[1 - labels]
    counts[90:] = 0
    digests = tuple(f"d{row if row != 3 else 2}" for row in range(120))
    return Dataset(images, tuple(f"i{row}" for row in range(120)), counts, ("a", "b"), "f", (), digests)


def test_own_data_use_all_votes_but_those_that_measure_and_say_so(dataset: Dataset) -> None:
    noted, split = divide(dataset, OWN, "", 0)
    n, m = len(split.labelled), len(split.validation)
    assert n + m == 90
    line = f"uses {5 * n} of 450 votes on {n} images ({500 * n / 450:.1f} %, as soft labels); "
    assert noted.notices[-1] == line + f"{5 * m} on {m} others measure"
    arrays = prepare(noted, split, OWN, 0, torch.device("cpu"))
    assert sorted(arrays.targets.unique().tolist()) == pytest.approx([0.2, 0.8])
    assert arrays.unlabelled.tolist() == sorted([*split.labelled, *split.unlabelled])


def test_the_paper_s_presets_divide_as_before_and_say_what_they_leave(dataset: Dataset) -> None:
    for name in ("cifar10h", "cifar10h_small", "digits", "paper"):
        options = load_preset(name).split
        assert options == SplitOptions()
        noted, split = divide(dataset, options, "", 4)
        old = split_images(dataset.counts, dataset.names, dataset.classes, options, 4)
        assert all(np.array_equal(one, other) for one, other in zip(split, old, strict=True))
    assert noted.notices[-1].startswith("uses 14 of 450 votes on 14 images (3.1 %, one drawn vote an image); 90 on 18")
    assert noted.notices[-1].endswith("346 are not used (the presets features and own use all)")


def test_counts_of_use() -> None:
    counts = np.array([[3, 1], [2, 0], [0, 1], [1, 0], [0, 0]])
    parts = np.array(["labelled", "labelled", "validation", "unlabelled", "waiting"])
    for labels, trains in (("drawn", 2), ("majority", 6), ("soft", 6)):
        used = count_used(counts, parts, labels)
        assert (used.short, used.measures, used.measured) == (f"{trains} of 8 votes on 2 images", 1, 1)
    with_test = count_used(counts, np.where(parts == "unlabelled", "test", parts), "soft")
    assert (with_test.measures, with_test.measured) == (2, 2)


def test_same_files_and_groups_stay_together(dataset: Dataset, tmp_path: Path) -> None:
    for seed in range(12):
        names = divide(dataset, OWN, "", seed)[1].part_names(120)
        assert names[2] == names[3]
    rows = [(name, f"p{row // 4}") for row, name in enumerate(dataset.names)]
    pd.DataFrame(rows, columns=["image", "patient"]).to_csv(tmp_path / "g.csv", index=False)
    options = SplitOptions("stable", labelled=1.0, reuse_labelled=True, groups=str(tmp_path / "g.csv"))
    names = divide(dataset, options, "", 0)[1].part_names(120)
    trains = np.isin(names, ("labelled", "unlabelled")).reshape(30, 4)
    assert (trains.all(1) | ~trains.any(1)).all()
    votes = tmp_path / "votes.csv"
    pd.DataFrame([(n, "a", p) for n, p in rows], columns=["image", "label", "Patient"]).to_csv(votes, index=False)
    column = SplitOptions("stable", labelled=1.0, reuse_labelled=True, groups="patient")
    assert divide(dataset, column, str(votes), 0)[1].part_names(120).tolist() == names.tolist()


def test_near_duplicates_stay_together_unless_told_otherwise(dataset: Dataset) -> None:
    images = dataset.images.copy()
    for row in range(10, 40, 2):
        images[row + 1] = np.clip(images[row].astype(int) + 6, 0, 255)
    near = dataset._replace(images=images, digests=tuple(f"d{row}" for row in range(120)))
    noted, split = divide(near, OWN, "", 0)
    names = np.where(np.isin(split.part_names(120), ("labelled", "unlabelled")), 0, 1)
    assert (names[10:40:2] == names[11:40:2]).all()
    assert "32 images are near duplicates of others and stay in one part" in "\n".join(noted.notices)
    apart = SplitOptions("stable", labelled=1.0, reuse_labelled=True, near_duplicates=False)
    names = np.where(np.isin(divide(near, apart, "", 0)[1].part_names(120), ("labelled", "unlabelled")), 0, 1)
    assert (names[10:40:2] != names[11:40:2]).any()


def test_a_split_of_the_user_is_taken_and_twins_across_it_are_told(dataset: Dataset, tmp_path: Path) -> None:
    parts = ["train"] * 60 + ["validation"] * 60
    parts[2] = "validation"
    path = tmp_path / "split.csv"
    pd.DataFrame({"image": dataset.names, "part": parts}).to_csv(path, index=False)
    options = SplitOptions(str(path), labels="soft", reuse_labelled=True)
    noted, split = divide(dataset, options, "", 0)
    assert split.labelled.tolist() == [row for row in range(60) if row != 2]
    assert len(split.waiting) == 30
    assert "1 time(s) near or exact duplicates are in different parts of split.csv: i2 and i3" in noted.notices
    groups = tmp_path / "g.csv"
    pd.DataFrame({"image": dataset.names, "group": ["p", "p"] + ["q"] * 118}).to_csv(groups, index=False)
    with pytest.raises(InputError, match=r"1 group\(s\) are in different parts of the split: i2 and i3"):
        divide(dataset, SplitOptions(str(path), reuse_labelled=True, groups=str(groups)), "", 0)


def test_a_split_of_the_user_must_measure_and_what_it_lacks_is_told(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    options = SplitOptions(str(path), labels="soft", reuse_labelled=True)
    pd.DataFrame({"image": dataset.names, "part": "train"}).to_csv(path, index=False)
    with pytest.raises(InputError, match="validation has no image with votes"):
        divide(dataset, options, "", 0)
    parts = np.where(np.isin(np.arange(120), [10, 20, 30]), "validation", "train")
    pd.DataFrame({"image": dataset.names, "part": parts}).to_csv(path, index=False)
    assert "no validation image is of b by majority" in "\n".join(divide(dataset, options, "", 0)[0].notices)


def test_groups_may_not_lie_in_validation_and_test_nor_wait_beside_training(dataset: Dataset, tmp_path: Path) -> None:
    """Images 90 and on have no votes: of validation they wait; those without a group are nobody's."""
    parts = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20 + ["validation"] * 20
    path, table = tmp_path / "split.csv", tmp_path / "groups.csv"
    pd.DataFrame({"image": dataset.names, "part": parts}).to_csv(path, index=False)
    options = SplitOptions(str(path), reuse_labelled=True, groups=str(table))
    for first, second, crosses in ((70, 85, True), (5, 110, True), (70, 110, False), (4, 6, False)):
        groups = ["p" if row in (first, second) else "" for row in range(120)]
        pd.DataFrame({"image": dataset.names, "group": groups}).to_csv(table, index=False)
        if crosses:
            with pytest.raises(InputError, match=rf"1 group\(s\) are in different parts.*i{first} and i{second}"):
                divide(dataset, options, "", 0)
        else:
            divide(dataset, options, "", 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SplitOptions(groups="patient"), "paper's split parts groups"),
        (SplitOptions("stabel"), "--split stabel: must be paper, stable or a table"),
    ],
)
def test_what_cannot_be_meant_is_refused(dataset: Dataset, options: SplitOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        divide(dataset, options, "", 0)
