"""Batches are a function of seed and step, and show training nothing that it must not see."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from training.data.ingest import Dataset
from training.data.loader import TrainingArrays, load_batch, prepare, step_generator
from training.data.split import Split, SplitOptions, split_images
from training.data.votes import majority

CPU = torch.device("cpu")


@pytest.fixture
def dataset() -> Dataset:
    """60 grey images whose brightness is their row number."""
    images = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None, None] * 4, (60, 8, 8, 3)).copy()
    counts = np.eye(3, dtype=np.int64)[np.arange(60) % 3] * 5
    return Dataset(images, tuple(f"i{row}" for row in range(60)), counts, ("a", "b", "c"), "f", ())


@pytest.fixture
def split(dataset: Dataset) -> Split:
    return split_images(dataset.counts, dataset.names, dataset.classes, SplitOptions(labelled=0.5), seed=0)


@pytest.fixture
def take(dataset: Dataset, split: Split) -> Callable[..., object]:
    arrays = prepare(dataset, split, SplitOptions(), 0, CPU)

    def batch(step: int, seed: int = 0, n_labelled: int = 6, n_unlabelled: int = 8, views: tuple[str, ...] = ("weak",)):
        return load_batch(arrays, views, n_labelled, n_unlabelled, seed, step, step_generator(seed, step, CPU))

    return batch


def rows_of(images: torch.Tensor) -> list[int]:
    return ((images[:, 0, 4, 4] + 1) * 127.5 / 4).round().int().tolist()


def test_same_step_same_batch_without_any_state(take: Callable[..., object]) -> None:
    first, again = take(7), take(7)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.views[0], again.views[0])
    assert rows_of(first.images) != rows_of(take(8).images)
    assert rows_of(first.images) != rows_of(take(7, seed=1).images)


def test_an_epoch_shows_every_image_once(take: Callable[..., object], split: Split) -> None:
    seen = [row for step in range(4) for row in rows_of(take(step).images)]
    assert sorted(seen) == split.labelled.tolist()
    seen = [row for step in range(3) for row in rows_of(take(step).views[0])]
    assert sorted(seen) == split.unlabelled.tolist()


def test_labels_belong_to_their_images(take: Callable[..., object]) -> None:
    batch = take(3)
    assert batch.labels.tolist() == [row % 3 for row in rows_of(batch.images)]
    assert torch.equal(batch.targets.argmax(1), batch.labels)


def test_views_are_augmented_apart(take: Callable[..., object]) -> None:
    strong = take(0, views=("weak", "strong")).views
    assert len(strong) == 2
    assert not torch.equal(strong[0], strong[1])


def test_part_smaller_than_the_batch_wraps_around(take: Callable[..., object]) -> None:
    assert take(0, n_labelled=100).images.shape[0] == 100


def test_training_never_sees_labels_of_unlabelled_images(dataset: Dataset, split: Split) -> None:
    """Changing every vote outside the labelled part changes nothing that training gets."""
    counts = dataset.counts.copy()
    outside = np.setdiff1d(np.arange(60), split.labelled)
    counts[outside] = counts[outside][:, ::-1]
    first = prepare(dataset, split, SplitOptions(), 0, CPU)
    second = prepare(dataset._replace(counts=counts), split, SplitOptions(), 0, CPU)
    assert isinstance(first, TrainingArrays)
    assert torch.equal(first.targets, second.targets)
    assert torch.equal(first.class_weights, second.class_weights)


def test_a_tied_soft_label_has_the_class_that_the_split_gave_it(dataset: Dataset) -> None:
    """The loss needs one class of each labelled image; the first by alphabet would draw all ties to one side."""
    tied = dataset._replace(counts=np.tile(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]), (20, 1)))
    split = split_images(tied.counts, tied.names, tied.classes, SplitOptions(labelled=0.5), seed=0)
    arrays = prepare(tied, split, SplitOptions(labels="soft"), 0, CPU)
    expected = majority(tied.counts, tied.names, 0)[split.labelled]
    assert arrays.labels.tolist() == expected.tolist()
    assert arrays.labels.tolist() != arrays.targets.argmax(1).tolist()
    batch = load_batch(arrays, ("weak",), 6, 8, 0, 3, step_generator(0, 3, CPU))
    places = [split.labelled.tolist().index(row) for row in rows_of(batch.images)]
    assert batch.labels.tolist() == expected[places].tolist()
