"""Settings of a method that a user changes."""

import pytest

from data.errors import InputError
from training.methods import METHODS, MethodOptions, build_method
from training.methods.flexmatch import FlexMatch
from training.methods.uda import UDA


def test_options_change_the_settings_that_a_method_has() -> None:
    assert build_method("flexmatch", MethodOptions(ssl_threshold=0.9, ssl_weight=2.0)) == FlexMatch(7, 2.0, 0.9)
    assert build_method("uda", MethodOptions(ssl_tsa="exp", unlabelled_ratio=3)) == UDA(3, tsa="exp")
    for name, method in METHODS.items():
        assert build_method(name, MethodOptions()) == method


def test_a_setting_that_a_method_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(InputError, match=r"softmatch has no setting threshold; it has .*momentum, n_sigma"):
        build_method("softmatch", MethodOptions(ssl_threshold=0.9))
    with pytest.raises(InputError, match="fixmatch has no setting tsa"):
        build_method("fixmatch", MethodOptions(ssl_tsa="linear"))
