"""Proposal folders for all tests of the review page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Page, open_page
from tests.relabel.review.bundles import write_cifar, write_digits
from tests.relabel.review.hands import size


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 handwritten digits."""
    folder = tmp_path_factory.mktemp("bundle") / "digits"
    write_digits(folder)
    return folder


@pytest.fixture(scope="session")
def cifar(tmp_path_factory: pytest.TempPathFactory, cifar10h: Path) -> Path:
    """5,000 images of CIFAR-10H."""
    folder = tmp_path_factory.mktemp("bundle") / "cifar"
    write_cifar(folder, cifar10h)
    return folder


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page in a new browser of 1280 x 800."""
    (tmp_path / "profile").mkdir()
    with open_page(tmp_path / "profile") as opened:
        size(opened, 1280, 800)
        yield opened
