import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from relabel.soft_labels.kl import mean_kl


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values)
    return powers / powers.sum(1, keepdims=True)


def test_worked_example() -> None:
    assert mean_kl(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])) == pytest.approx(0.6930, abs=5e-5)
    assert mean_kl(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(np.log(1e5), rel=1e-3)


def test_is_the_mean_over_the_images() -> None:
    reference, soft = np.array([[0.5, 0.5], [0.8, 0.2]]), np.array([[0.5, 0.5], [0.4, 0.6]])
    second = 0.8 * np.log(2) + 0.2 * np.log(1 / 3)
    assert mean_kl(reference, soft) == pytest.approx(second / 2)


matrices = nst.arrays(float, (4, 3), elements=st.floats(-5, 5)).map(_softmax)


@given(matrices, matrices)
def test_is_zero_for_equals_and_not_negative(reference: np.ndarray, soft: np.ndarray) -> None:
    assert mean_kl(reference, reference) == 0
    assert mean_kl(reference, soft) >= -1e-4
