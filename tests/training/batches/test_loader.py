"""Training gets the labels that were asked for, and nothing that it must not see."""

import numpy as np
import pytest
import torch

from data.ingest import Dataset
from data.votes.counts import majority
from training.batches.feed import augment_batch, raw_batches
from training.batches.loader import prepare
from training.batches.split import Split, split_images
from training.options import SplitOptions

CPU = torch.device("cpu")


@pytest.fixture
def dataset() -> Dataset:
    """60 images of which every class has its own number: 30, 18 and 12 by majority, with one vote of five astray."""
    images = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None, None] * 4, (60, 8, 8, 3)).copy()
    labels = np.repeat([0, 1, 2], [30, 18, 12])
    counts = np.eye(3, dtype=np.int64)[labels] * 4 + np.eye(3, dtype=np.int64)[(labels + 1) % 3]
    return Dataset(images, tuple(f"i{row}" for row in range(60)), counts, ("a", "b", "c"), "f", ())


@pytest.fixture
def split(dataset: Dataset) -> Split:
    return split_images(dataset.counts, dataset.names, dataset.classes, SplitOptions(labelled=0.5), seed=0)


def test_training_never_sees_labels_of_unlabelled_images(dataset: Dataset, split: Split) -> None:
    """Whatever the votes outside the labelled part are, training gets the same."""
    first = prepare(dataset, split, SplitOptions(), 0, CPU)
    outside = np.setdiff1d(np.arange(60), split.labelled)
    for seed in range(3):
        counts = dataset.counts.copy()
        # not a permutation of the classes, which could leave their sizes as they are
        counts[outside] = np.random.default_rng(seed).integers(0, 50, (len(outside), 3))
        second = prepare(dataset._replace(counts=counts), split, SplitOptions(), 0, CPU)
        assert torch.equal(first.targets, second.targets)
        assert torch.equal(first.class_weights, second.class_weights)


def test_class_weights_are_those_of_the_training_labels(dataset: Dataset, split: Split) -> None:
    arrays = prepare(dataset, split, SplitOptions(labels="majority"), 0, CPU)
    sizes = np.bincount(dataset.counts[split.labelled].argmax(1), minlength=3)
    assert arrays.class_weights.tolist() == pytest.approx(len(split.labelled) / (3 * sizes))


def test_training_labels_are_those_of_the_option(dataset: Dataset, split: Split) -> None:
    votes = dataset.counts[split.labelled]
    majority, soft, drawn = (
        prepare(dataset, split, SplitOptions(labels=kind), 0, CPU).targets.numpy()
        for kind in ("majority", "soft", "drawn")
    )
    assert (majority == np.eye(3)[votes.argmax(1)]).all()
    assert soft == pytest.approx(votes / 5)
    assert (drawn.max(1) == 1).all()
    # one vote in five is astray, so some drawn labels are not the majority's, and each has a vote
    assert 0 < (drawn != majority).any(1).sum() < len(votes) / 2
    assert (votes[drawn == 1] > 0).all()


def test_a_tied_soft_label_has_the_class_that_the_split_gave_it(dataset: Dataset) -> None:
    """The loss needs one class of each labelled image; the first by alphabet would draw all ties to one side."""
    tied = dataset._replace(counts=np.tile(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]), (20, 1)))
    split = split_images(tied.counts, tied.names, tied.classes, SplitOptions(labelled=0.5), seed=0)
    arrays = prepare(tied, split, SplitOptions(labels="soft"), 0, CPU)
    expected = majority(tied.counts, tied.names, 0)[split.labelled]
    assert arrays.labels.tolist() == expected.tolist()
    assert arrays.labels.tolist() != arrays.targets.argmax(1).tolist()
    (raw,) = raw_batches(arrays, len(split.labelled), 0, 0, range(1))
    # an epoch in one batch: the labels of all images, in the batch's order
    order = [arrays.images[split.labelled].tolist().index(image) for image in raw.images.tolist()]
    assert raw.labels.tolist() == expected[order].tolist()
    assert augment_batch(raw, (), torch.Generator()).labels.tolist() == raw.labels.tolist()
