"""Every method of METHODS keeps the contract of `training.methods.method`, on images and on features alike."""

from collections.abc import Callable

import pytest

from tests.contracts.methods import CHECKS
from tests.contracts.methods.planted import KINDS, Kind
from training.methods import METHODS
from training.methods.method import Method


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Method, Kind], None], name: str, kind: str) -> None:
    check(METHODS[name], KINDS[kind])
