"""Every method of METHODS keeps the contract of `training.methods.method`; a new method adds no line here."""

from collections.abc import Callable

import pytest

from tests.contracts.methods import CHECKS
from training.methods import METHODS
from training.methods.method import Method


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Method], None], name: str) -> None:
    check(METHODS[name])
