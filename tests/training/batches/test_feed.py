"""Batches are a function of seed and step, and every image comes with its own label."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from training.batches.batch import Batch
from training.batches.feed import BLOCK, TrainingArrays, augment_batch, raw_batches, step_seeds

CPU = torch.device("cpu")
LABELLED, UNLABELLED = np.arange(0, 60, 3), np.flatnonzero(np.arange(60) % 3)


@pytest.fixture
def arrays() -> TrainingArrays:
    """60 grey images whose brightness is their row number; every third one is labelled."""
    images = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None, None] * 4, (60, 8, 8, 3)).copy()
    labels = torch.from_numpy(LABELLED // 3 % 3)
    return TrainingArrays(images, LABELLED, UNLABELLED, torch.eye(3)[labels], labels, torch.tensor([1.0, 2.0, 4.0]))


@pytest.fixture
def take(arrays: TrainingArrays) -> Callable[..., Batch]:
    def batch(
        step: int, seed: int = 0, n_labelled: int = 5, n_unlabelled: int = 10, views: tuple[str, ...] = ("weak",)
    ) -> Batch:
        raw = next(raw_batches(arrays, n_labelled, n_unlabelled, seed, range(step, step + 1)))
        return augment_batch(raw, views, torch.Generator().manual_seed(step_seeds(seed, step)[0]))

    return batch


def rows_of(images: torch.Tensor) -> list[int]:
    return ((images[:, 0, 4, 4] + 1) * 127.5 / 4).round().int().tolist()


def test_same_step_same_batch_without_any_state(take: Callable[..., Batch]) -> None:
    first, again = take(7), take(7)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.views[0], again.views[0])
    assert rows_of(first.images) != rows_of(take(8).images)
    assert rows_of(first.images) != rows_of(take(7, seed=1).images)


def test_a_training_that_starts_at_any_step_sees_the_same_batches(arrays: TrainingArrays) -> None:
    """Also over the border of a block of row numbers."""
    whole = list(raw_batches(arrays, 5, 10, 3, range(BLOCK + 4)))
    for first in (1, BLOCK - 1, BLOCK + 2):
        for number, batch in enumerate(raw_batches(arrays, 5, 10, 3, range(first, BLOCK + 4)), first):
            assert all(torch.equal(one, other) for one, other in zip(batch, whole[number], strict=True))


def test_images_on_the_device_and_images_from_the_map_are_the_same(arrays: TrainingArrays) -> None:
    there = arrays._replace(images=torch.from_numpy(np.array(arrays.images)))
    for one, other in zip(raw_batches(arrays, 5, 10, 0, range(4)), raw_batches(there, 5, 10, 0, range(4)), strict=True):
        assert all(torch.equal(first, second) for first, second in zip(one, other, strict=True))


def test_an_epoch_shows_every_image_once(take: Callable[..., Batch]) -> None:
    for first in (0, 4):
        seen = [row for step in range(first, first + 4) for row in rows_of(take(step).images)]
        assert sorted(seen) == LABELLED.tolist()
        seen = [row for step in range(first, first + 4) for row in rows_of(take(step).views[0])]
        assert sorted(seen) == UNLABELLED.tolist()


def test_labels_and_class_weights_belong_to_their_images(take: Callable[..., Batch]) -> None:
    batch = take(3)
    assert batch.labels.tolist() == [row // 3 % 3 for row in rows_of(batch.images)]
    assert torch.equal(batch.targets.argmax(1), batch.labels)
    assert batch.class_weights.tolist() == [[1.0, 2.0, 4.0][label] for label in batch.labels.tolist()]


def test_rows_are_the_places_of_the_images_in_their_part(arrays: TrainingArrays, take: Callable[..., Batch]) -> None:
    """Also where the images lie on the device, and from one step to the next: what a method keeps is of one image."""
    for step in range(6):
        batch = take(step)
        assert LABELLED[batch.rows].tolist() == rows_of(batch.images)
        assert UNLABELLED[batch.unlabelled_rows].tolist() == rows_of(batch.views[0])
    there = arrays._replace(images=torch.from_numpy(np.array(arrays.images)))
    (raw,) = raw_batches(there, 5, 10, 0, range(3, 4))
    assert torch.equal(raw.unlabelled_rows, take(3).unlabelled_rows)
    assert (raw.unlabelled[:, 4, 4, 0] // 4).tolist() == UNLABELLED[raw.unlabelled_rows].tolist()
    assert take(0, n_unlabelled=0, views=()).unlabelled_rows.shape == (0,)


def test_views_are_augmented_apart(take: Callable[..., Batch]) -> None:
    strong = take(0, views=("weak", "strong")).views
    assert len(strong) == 2
    assert not torch.equal(strong[0], strong[1])


def test_labelled_images_are_augmented(arrays: TrainingArrays) -> None:
    """Each is a flip or shift of its original, and in 20 of them some differ from it."""
    columns = np.broadcast_to(np.arange(8, dtype=np.uint8)[None, None, :, None] * 30, (60, 8, 8, 3)).copy()
    raw = next(raw_batches(arrays._replace(images=columns), 20, 0, 0, range(1)))
    images = augment_batch(raw, (), torch.Generator().manual_seed(0)).images
    plain = torch.from_numpy(columns[0]).permute(2, 0, 1).float() / 127.5 - 1
    assert not all(torch.equal(image, plain) for image in images)
    assert any(torch.equal(image, plain.flip(2)) for image in images)


def test_where_nobody_needs_unlabelled_images_none_is_taken(take: Callable[..., Batch]) -> None:
    batch = take(0, n_unlabelled=0, views=())
    assert batch.views == ()
    assert len(batch.images) == 5


def test_both_parts_are_shuffled_each_in_its_own_way(arrays: TrainingArrays) -> None:
    rows = np.arange(20)
    (raw,) = raw_batches(arrays._replace(labelled=rows, unlabelled=rows + 20), 20, 20, 0, range(1))
    assert sorted(raw.rows.tolist()) == sorted(raw.unlabelled_rows.tolist()) == rows.tolist()
    assert raw.rows.tolist() != raw.unlabelled_rows.tolist()


def test_part_smaller_than_the_batch_wraps_around(take: Callable[..., Batch]) -> None:
    assert take(0, n_labelled=100).images.shape[0] == 100


def test_seeds_of_our_draws_and_of_the_modules_differ_at_every_step() -> None:
    seeds = [seed for step in range(100) for seed in step_seeds(0, step)]
    assert len(set(seeds)) == 200
    assert step_seeds(0, 5) == step_seeds(0, 5) != step_seeds(1, 5)
