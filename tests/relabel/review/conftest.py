"""Proposal folders for all tests of the review page."""

from pathlib import Path

import pytest

from tests.relabel.review.bundles import write_cifar, write_digits


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
