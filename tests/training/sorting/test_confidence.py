"""Border, ambiguity and centres of the sorting by confidence."""

import numpy as np
import pytest
import torch

from data.certain import is_certain
from tests.contracts.sorting_checks import draw, fit, sort
from training.sorting.border import border_at_share
from training.sorting.centres import find_centres
from training.sorting.confidence import ConfidenceSorting, calibrate, doubt, unit_length
from training.sorting.sharing import share_out


def test_border_of_the_docstring() -> None:
    scores = np.array([0.1, 0.2, 0.2, 0.6])
    assert border_at_share(scores, 0.5) == pytest.approx(0.4)
    assert border_at_share(scores, 0.7) == pytest.approx(0.15)


def test_images_of_equal_score_are_never_parted() -> None:
    """An overconfident network: most images score exactly 0, and a share asks for more than the others."""
    scores = np.array([0.0] * 70 + [0.3] * 30)
    assert (scores >= border_at_share(scores, 0.6)).mean() == 0.3
    assert (scores >= border_at_share(scores, 0.9)).mean() == 1.0


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6, 1.0])
def test_the_share_of_the_training_images_is_ambiguous(share: float) -> None:
    seen = draw(400)
    certain = is_certain(sort(fit(ConfidenceSorting, seen, ambiguous_share=share), seen)[1])
    assert 1 - certain.mean() == pytest.approx(share, abs=0.003)
    by_prior = is_certain(sort(fit(ConfidenceSorting, seen), seen)[1])
    assert 1 - by_prior.mean() == pytest.approx(0.6, abs=0.003)


def test_a_named_border_decides_exactly() -> None:
    """From it on an image is ambiguous, and the next lower number is certain."""
    border = torch.tensor(0.3)
    below = torch.nextafter(border, torch.tensor(0.0))
    found = calibrate(torch.stack([below, border]), border).numpy()
    assert is_certain(found).tolist() == [True, False]
    assert found[1] == 0.5
    seen = draw(200)
    certain = is_certain(sort(fit(ConfidenceSorting, seen, ambiguous_from=0.3), seen)[1])
    np.testing.assert_array_equal(certain, doubt(torch.from_numpy(seen.classes)).numpy() < np.float32(0.3))


def test_ambiguity_of_the_docstring_grows_with_the_score_from_0_to_1() -> None:
    found = calibrate(torch.tensor([0.1, 0.5]), torch.tensor(0.2))
    assert found.tolist() == pytest.approx([4 / 13, 0.8])
    scores = torch.linspace(0, 0.9, 1000)
    for border in (1e-6, 0.01, 0.5, 0.8):
        values = calibrate(scores, torch.tensor(border))
        assert (values.diff() >= 0).all()
        assert values[0] == 0
        assert values[-1] <= 1
    assert is_certain(calibrate(scores, torch.tensor(1.0)).numpy()).all(), "never"
    assert not is_certain(calibrate(scores, torch.tensor(0.0)).numpy()).any(), "always"


def test_doubt_keeps_its_digits_where_a_difference_would_lose_them() -> None:
    sure = torch.tensor([20.0, 0.0, 0.0]).softmax(0)[None]
    exact = 2 * np.exp(-20.0) / (1 + 2 * np.exp(-20.0))
    assert float(doubt(sure)) == pytest.approx(exact, rel=1e-5)
    assert float(doubt(torch.full((1, 4), 0.25))) == 0.75


@pytest.mark.parametrize(
    ("counts", "most", "total", "expected"),
    [
        ([60, 30, 9], [99, 99, 99], 10, [6, 3, 1]),
        ([60, 30, 9], [4, 99, 99], 10, [4, 5, 1]),
        ([1000, 1, 0], [99, 99, 99], 6, [4, 1, 1]),
        ([5, 5], [2, 3], 50, [2, 3]),
        ([0, 0, 0], [1, 1, 1], 9, [1, 1, 1]),
        ([33, 33, 34], [99, 99, 99], 4, [1, 1, 2]),
    ],
)
def test_clusters_are_shared_out_by_largest_remainder(
    counts: list[int], most: list[int], total: int, expected: list[int]
) -> None:
    assert share_out(np.array(counts), np.array(most), total).tolist() == expected


def test_shares_keep_their_bounds_whatever_the_sizes() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        k = int(random.integers(2, 12))
        counts, most = random.integers(0, 200, k), random.integers(1, 30, k)
        total = int(random.integers(k, 60))
        found = share_out(counts, most, total)
        assert found.sum() == min(total, most.sum())
        assert ((found >= 1) & (found <= most)).all()


def test_an_image_gets_the_nearest_centre_of_its_predicted_class_and_no_other_class_has_a_part() -> None:
    """Image by image."""
    seen, unseen = draw(300), draw(50, seed=1)
    sorting = fit(ConfidenceSorting, seen)
    clusters, _ = sort(sorting, unseen)
    features = unit_length(torch.from_numpy(unseen.features), sorting.mean).numpy()
    for row, feature in enumerate(features):
        mine = np.flatnonzero(sorting.owners.numpy() == unseen.classes[row].argmax())
        distances = ((sorting.centres.numpy()[mine] - feature) ** 2).sum(1)
        order = mine[distances.argsort()]
        assert clusters[row].argmax() == order[0]
        assert (np.diff(clusters[row][order]) <= 1e-7).all(), "the farther, the less"
        assert np.delete(clusters[row], mine).max() == 0


def test_no_cluster_is_tiny_where_features_are_uneven() -> None:
    """Five images far out: by themselves k-means gives them clusters of one and two."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 5)).astype(np.float32)
    rows[:5] *= 100
    found = find_centres(rows, np.zeros(400, int), 1, 10, seed=0)
    used = found.places[found.owners == 0]
    numbers = ((rows[:, None] - used) ** 2).sum(2).argmin(1)
    assert np.bincount(numbers, minlength=len(used)).min() >= 0.2 * 400 / 10
    assert (found.owners == -1).sum() == 10 - len(used)


def test_more_images_than_are_looked_at_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.sorting.centres.MOST_IMAGES", 50)
    rows = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    first, second = (find_centres(rows, np.zeros(400, int), 1, 4, seed=0) for _ in range(2))
    np.testing.assert_array_equal(first.places, second.places)
    assert (first.owners == 0).sum() == 4
