"""Large clusters fall into small parts of look-alikes."""

import numpy as np
import pytest

from relabel.propose.cluster_parts import split_cluster


def within(embedding: np.ndarray, parts: list[np.ndarray]) -> float:
    """Sum of squared distances to the parts' means."""
    return sum(float(((embedding[part] - embedding[part].mean(0)) ** 2).sum()) for part in parts)


@pytest.mark.parametrize("n", [1, 59, 60, 61, 119, 121, 500, 1733])
@pytest.mark.parametrize("largest", [2, 7, 60])
def test_every_image_is_in_one_part_and_none_is_too_large(n: int, largest: int) -> None:
    parts = split_cluster(np.random.default_rng(n).standard_normal((n, 5)), largest)
    assert max(map(len, parts)) <= largest
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))


def test_parts_are_balanced() -> None:
    parts = split_cluster(np.random.default_rng(0).standard_normal((1000, 8)), 60)
    assert len(parts) <= 1.5 * 1000 / 60
    assert min(map(len, parts)) >= 15


def test_parts_follow_groups_that_are_there() -> None:
    random = np.random.default_rng(3)
    group = random.permutation(np.repeat([0, 1, 2], [35, 40, 45]))
    embedding = 20 * np.eye(3)[group] + random.standard_normal((120, 3))
    parts = split_cluster(embedding, 60)
    assert sorted(tuple(np.unique(group[part])) for part in parts) == [(0,), (1,), (2,)]


def test_parts_are_far_tighter_than_by_chance() -> None:
    random = np.random.default_rng(4)
    embedding = random.standard_normal((600, 6)) * [5, 3, 1, 1, 1, 1]
    parts = split_cluster(embedding, 60)
    chance = np.array_split(random.permutation(600), len(parts))
    assert within(embedding, parts) < 0.4 * within(embedding, chance)


def test_outliers_make_no_part_of_their_own() -> None:
    embedding = np.random.default_rng(5).standard_normal((100, 4))
    embedding[:3] -= 100
    assert min(map(len, split_cluster(embedding, 60))) >= 15


def test_equal_images_are_split_too() -> None:
    parts = split_cluster(np.zeros((200, 4)), 60)
    assert max(map(len, parts)) <= 60
