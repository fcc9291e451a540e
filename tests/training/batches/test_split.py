"""Table 1's split by seed, and the training labels drawn from the votes."""

import hashlib

import numpy as np
import pytest

from data.errors import InputError
from data.votes.counts import majority
from training.batches.split import Split, draw_targets, split_images
from training.options import SplitOptions

CLASSES = tuple("abcdefghij")


def split_of(counts: np.ndarray, classes: tuple[str, ...], options: SplitOptions, seed: int) -> Split:
    return split_images(counts, [f"{row}.png" for row in range(len(counts))], classes, options, seed)


def votes_of(labels: np.ndarray, n_classes: int) -> np.ndarray:
    return np.eye(n_classes, dtype=np.int64)[labels] * 3


def test_cifar10h_split_has_the_counts_of_table_1() -> None:
    split = split_of(votes_of(np.arange(10_000) % 10, 10), CLASSES, SplitOptions(), seed=0)
    assert [len(part) for part in split] == [1600, 6400, 2000, 0, 0]


def test_every_image_is_in_exactly_one_part() -> None:
    split = split_of(votes_of(np.arange(500) % 10, 10), CLASSES, SplitOptions(test=0.2), seed=3)
    assert sorted(np.concatenate(split).tolist()) == list(range(500))
    assert [len(part) for part in split] == [60, 240, 100, 100, 0]


def test_seed_decides_the_split() -> None:
    counts = votes_of(np.arange(500) % 10, 10)
    first, again, other = (split_of(counts, CLASSES, SplitOptions(), seed) for seed in (1, 1, 2))
    assert np.array_equal(first.labelled, again.labelled)
    assert not np.array_equal(first.labelled, other.labelled)


def test_rare_classes_keep_their_share() -> None:
    labels = np.r_[np.zeros(950, int), np.ones(50, int)]
    split = split_of(votes_of(labels, 2), CLASSES[:2], SplitOptions(), seed=0)
    assert labels[split.labelled].sum() == 8
    assert labels[split.validation].sum() == 10


def test_images_without_votes_train_without_label() -> None:
    counts = np.concatenate([votes_of(np.arange(100) % 2, 2), np.zeros((30, 2), np.int64)])
    split = split_of(counts, CLASSES[:2], SplitOptions(), seed=0)
    assert set(range(100, 130)) <= set(split.unlabelled.tolist())
    assert [len(part) for part in split] == [16, 94, 20, 0, 0]


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        (
            votes_of(np.r_[np.zeros(50, int), 1, 1], 2),
            SplitOptions(),
            r"too few of b \(2\).*--merge-rare 3.*--drop-rare 3",
        ),
        (votes_of(np.arange(9) % 3, 3), SplitOptions(), "Too few images"),
        (votes_of(np.arange(50) % 2, 2), SplitOptions(validation=1.2), "validation = 1.2"),
        (votes_of(np.arange(50) % 2, 2), SplitOptions(test=0.9), "test = 0.9"),
        (votes_of(np.r_[np.zeros(50, int), np.ones(3, int)], 2), SplitOptions(), "no label for b"),
    ],
)
def test_impossible_splits_are_refused(counts: np.ndarray, options: SplitOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_of(counts, CLASSES[: counts.shape[1]], options, seed=0)


def test_drawn_targets_follow_the_votes() -> None:
    counts = np.tile([[1, 3, 0]], (4000, 1))
    targets = draw_targets(counts, [""] * 4000, "drawn", seed=0)
    assert targets.sum(1).tolist() == [1.0] * 4000
    assert targets.mean(0) == pytest.approx([0.25, 0.75, 0], abs=0.03)
    assert np.array_equal(targets, draw_targets(counts, [""] * 4000, "drawn", seed=0))


def test_majority_and_soft_targets() -> None:
    counts = np.array([[1, 3, 0], [2, 2, 0]])
    assert draw_targets(counts, ["a", "b"], "majority", 0)[0].tolist() == [0, 1, 0]
    assert draw_targets(counts, ["a", "b"], "soft", 0).tolist() == [[0.25, 0.75, 0], [0.5, 0.5, 0]]


def test_names_of_classes_decide_nothing_at_ties() -> None:
    """2-vote tables, half of them tied: both classes keep about half of the images, whichever comes first."""
    counts = np.array([[1, 1], [2, 0], [1, 1], [0, 2]] * 500)
    names = [f"{row}.png" for row in range(len(counts))]
    sizes = []
    for seed in range(3):
        labels = majority(counts, names, seed)
        split = split_images(counts, names, CLASSES[:2], SplitOptions(labelled=0.5), seed)
        for part in (split.labelled, split.unlabelled, split.validation):
            assert labels[part].mean() == pytest.approx(labels.mean(), abs=0.01), "stratified by the same draw"
        sizes.append(labels.mean())
        targets = draw_targets(counts, names, "majority", seed)
        assert targets.argmax(1).tolist() == labels.tolist()
    assert np.mean(sizes) == pytest.approx(0.5, abs=0.02)


def test_the_paper_s_split_and_labels_are_those_of_the_first_version() -> None:
    """Recorded before the stable split came: the same table and seed give the same parts and drawn labels."""
    counts = np.random.default_rng(0).integers(0, 4, (600, 5))
    counts[:, 0] += 1
    names = [f"{row}.png" for row in range(600)]
    split = split_images(counts, names, CLASSES[:5], SplitOptions(test=0.1), 3)
    targets = draw_targets(counts[split.labelled], [names[row] for row in split.labelled], "drawn", 3)
    content = b"".join(rows.astype(np.int64).tobytes() for rows in (*split, targets.argmax(1)))
    assert hashlib.sha256(content).hexdigest()[:16] == "da8f7a883a479df8"
