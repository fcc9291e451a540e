"""Views: drawn from what an image is, never from where it stands or what is beside it."""

import numpy as np
import pytest

from tests.training.features.conftest import draw_dataset
from training.features.views import make_views

DATASET = draw_dataset(40)
random_views = pytest.mark.parametrize("kind", ["weak", "strong"])


@random_views
def test_a_view_hangs_on_its_image_alone(kind: str) -> None:
    together = make_views(DATASET.images, DATASET.digests, kind, 4).reshape(40, 4, *DATASET.images.shape[1:])
    order = [30, 2, 17]
    some = make_views(DATASET.images[order], [DATASET.digests[row] for row in order], kind, 4)
    np.testing.assert_array_equal(some.reshape(3, 4, *DATASET.images.shape[1:]), together[order])


@random_views
def test_views_of_an_image_and_of_equal_pixels_with_another_digest_differ(kind: str) -> None:
    pixels = np.repeat(DATASET.images[:1], 40, 0)
    views = make_views(pixels, DATASET.digests, kind, 4)
    assert views.dtype == np.uint8
    assert len({view.tobytes() for view in views}) > 40  # of weak views there are 2 * 5 * 5


def test_weak_and_strong_views_of_one_image_are_drawn_apart() -> None:
    weak, strong = (make_views(DATASET.images, DATASET.digests, kind, 2) for kind in ("weak", "strong"))
    assert (weak != strong).reshape(80, -1).any(1).mean() > 0.9


def test_the_plain_view_is_the_image() -> None:
    np.testing.assert_array_equal(make_views(DATASET.images, DATASET.digests, "plain", 1), DATASET.images)


def test_a_weak_view_holds_pixels_of_its_image_alone() -> None:
    for image, view in zip(DATASET.images, make_views(DATASET.images, DATASET.digests, "weak", 1), strict=True):
        assert {tuple(pixel) for pixel in view.reshape(-1, 3)} <= {tuple(pixel) for pixel in image.reshape(-1, 3)}


def test_strong_views_are_rounded_not_cut() -> None:
    grey = np.full((200, 16, 16, 3), 101, np.uint8)
    digests = [f"{number}" for number in range(200)]
    values = np.unique(make_views(grey, digests, "strong", 1), return_counts=True)
    assert values[0][values[1].argmax()] == 101  # most operations leave plain grey as it is
    assert 128 in values[0]  # the square that is cut out: 0 in [-1, 1] is 127.5, rounded to even
