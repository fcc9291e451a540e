import numpy as np
import pytest

from relabel.acceptance import FULL_ACCEPTANCE, acceptance, bias, free_share, list_bias_faults
from relabel.agreement.bias import FULL_ACCEPTANCE as MEASURED_WITH
from relabel.options import EstimateOptions
from relabel.simulate.annotators import AnnotatorModel

SHARES = np.linspace(0, 1, 5)


@pytest.mark.parametrize("d", [0.0, 0.26, 0.65])
def test_the_share_without_a_proposal_comes_back(d: float) -> None:
    np.testing.assert_allclose(acceptance(np.array([0.0, 1.0]), d), [d, 0.99])
    np.testing.assert_allclose(free_share(acceptance(SHARES, d), d), SHARES, atol=1e-12)
    np.testing.assert_allclose(free_share(acceptance(SHARES, d, 1.0), d, 1.0), SHARES, atol=1e-12)


def test_the_bias_comes_back_from_what_was_accepted() -> None:
    np.testing.assert_allclose(bias(acceptance(SHARES[:-1], 0.26), SHARES[:-1]), 0.26)


def test_what_the_model_does_not_allow_is_clipped() -> None:
    assert free_share(np.array([0.1, 1.0]), 0.26).tolist() == [0, 1]


def test_simulated_annotators_correction_and_measurement_go_by_one_model() -> None:
    assert AnnotatorModel().full_acceptance == EstimateOptions().full_acceptance == MEASURED_WITH == FULL_ACCEPTANCE
    model = AnnotatorModel(d=0.3, full_acceptance=0.9)
    np.testing.assert_allclose(free_share(model.accepts(SHARES), 0.3, 0.9), SHARES, atol=1e-12)


@pytest.mark.parametrize(("d", "full"), [(-0.1, 0.99), (0.99, 0.99), (0.2, 1.1), (float("nan"), 0.99)])
def test_a_bias_that_cannot_be_is_named(d: float, full: float) -> None:
    assert list_bias_faults(d, full) == [f"0 <= d < full acceptance <= 1 must hold, they are {d} and {full}"]
