"""Views of a bank in the place of augmentations: which one is drawn hangs on seed and step, and is never of another
image."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from training.batches.batch import Batch
from training.batches.feature_views import FeatureViews
from training.batches.feed import BLOCK, TrainingArrays, augment_batch, raw_batches
from training.batches.loader import place_views

N_VIEWS = 3
LABELLED, UNLABELLED = np.arange(0, 60, 3), np.flatnonzero(np.arange(60) % 3)


def make_table(kind: int) -> torch.Tensor:
    """(60, 3, 3): each view says its image, its number and its kind."""
    image, view = torch.meshgrid(torch.arange(60), torch.arange(N_VIEWS), indexing="ij")
    return torch.stack([image, view, torch.full_like(view, kind)], 2).half()


@pytest.fixture
def arrays() -> TrainingArrays:
    labels = torch.from_numpy(LABELLED // 3 % 3)
    views = FeatureViews(make_table(0), make_table(1))
    return TrainingArrays(views, LABELLED, UNLABELLED, torch.eye(3)[labels], labels, torch.ones(3))


@pytest.fixture
def take(arrays: TrainingArrays) -> Callable[..., Batch]:
    def batch(step: int, views: tuple[str, ...], seed: int = 0) -> Batch:
        n_unlabelled = 10 if views else 0
        raw = next(raw_batches(arrays, 5, n_unlabelled, seed, range(step, step + 1), views))
        return augment_batch(raw, views, torch.Generator())

    return batch


def test_each_view_is_of_its_image_and_of_its_kind(take: Callable[..., Batch]) -> None:
    for kinds in (("weak",), ("weak", "weak"), ("weak", "strong"), ("strong", "weak", "strong"), ("strong",)):
        batch = take(3, kinds)
        assert batch.images.dtype == torch.float32
        assert batch.images[:, 0].tolist() == LABELLED[batch.rows].tolist()
        assert (batch.images[:, 2] == 0).all(), "a labelled image has a weak view"
        assert len(batch.views) == len(kinds)
        for kind, view in zip(kinds, batch.views, strict=True):
            assert view[:, 0].tolist() == UNLABELLED[batch.unlabelled_rows].tolist()
            assert (view[:, 2] == ("weak", "strong").index(kind)).all()


def test_views_of_one_kind_are_different_ones(take: Callable[..., Batch]) -> None:
    seen = set()
    for step in range(20):
        batch = take(step, ("weak", "weak", "strong", "strong"))
        assert (batch.views[0][:, 1] != batch.views[1][:, 1]).all()
        assert (batch.views[2][:, 1] != batch.views[3][:, 1]).all()
        seen |= set(zip(batch.views[0][:, 1].tolist(), batch.views[1][:, 1].tolist(), strict=True))
    assert len(seen) == N_VIEWS * (N_VIEWS - 1), "some pairs are never drawn"


def test_one_view_alone_is_drawn_for_all(arrays: TrainingArrays) -> None:
    alone = arrays._replace(images=FeatureViews(make_table(0)[:, :1]))
    (raw,) = raw_batches(alone, 5, 10, 0, range(1), ("weak", "weak"))
    assert torch.equal(raw.unlabelled[0], raw.unlabelled[1])


def test_all_views_are_drawn_alike_often_of_labelled_images_too(take: Callable[..., Batch]) -> None:
    batches = [take(step, ("weak",)) for step in range(200)]
    for views in ([batch.images for batch in batches], [batch.views[0] for batch in batches]):
        shares = torch.bincount(torch.cat(views)[:, 1].int(), minlength=N_VIEWS) / sum(map(len, views))
        assert shares.tolist() == pytest.approx([1 / N_VIEWS] * N_VIEWS, abs=0.05)


def test_a_training_that_starts_at_any_step_sees_the_same_views(arrays: TrainingArrays) -> None:
    """Also over the border of a block of row numbers."""
    kinds = ("weak", "strong")
    whole = list(raw_batches(arrays, 5, 10, 3, range(BLOCK + 4), kinds))
    assert not torch.equal(whole[0].images, whole[4].images), "the same images, in an epoch, under other views"
    for first in (1, BLOCK - 1, BLOCK + 2):
        for number, batch in enumerate(raw_batches(arrays, 5, 10, 3, range(first, BLOCK + 4), kinds), first):
            assert all(torch.equal(one, other) for one, other in zip(batch, whole[number], strict=True))


def test_where_nobody_needs_unlabelled_images_none_is_taken(take: Callable[..., Batch]) -> None:
    batch = take(0, ())
    assert batch.views == ()
    assert batch.images.shape == (5, 3)


def test_another_seed_draws_others(take: Callable[..., Batch]) -> None:
    assert not torch.equal(take(0, ("weak",)).views[0], take(0, ("weak",), seed=1).views[0])


def test_a_mapped_bank_is_read_where_it_lies(tmp_path, arrays: TrainingArrays) -> None:  # type: ignore[no-untyped-def]
    """No copy of it is made on a CPU, and nothing warns of a file that cannot be written."""
    np.save(tmp_path / "weak.npy", make_table(0).numpy())
    mapped = np.load(tmp_path / "weak.npy", mmap_mode="r")
    views = place_views(mapped, None, torch.device("cpu"))
    assert views.strong is None
    assert views.weak.data_ptr() == mapped.ctypes.data
    (raw,) = raw_batches(arrays._replace(images=views), 5, 10, 0, range(1), ("weak",))
    assert torch.equal(raw.unlabelled, next(raw_batches(arrays, 5, 10, 0, range(1), ("weak",))).unlabelled)
