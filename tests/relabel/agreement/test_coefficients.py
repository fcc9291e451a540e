"""Coefficients against published values, and what must hold for any answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relabel.agreement.coefficients import (
    agreement_of_counts,
    cohen_kappa,
    count_pair,
    kappa_of_sums,
    pair_statistics,
)

# Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses
FLEISS_1971 = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""
# Krippendorff 2011, 4 observers, 12 units, . is no answer
OBSERVERS_2011 = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
# Krippendorff's second well-known table, 3 coders, 15 units
CODERS = (".....34121133.3", "1.213343.......", "..21344.21133.4")


def counts_of(rows: tuple[str, ...]) -> np.ndarray:
    """(N, 5) counts of the digits 1 to 5 by unit."""
    units = zip(*rows, strict=True)
    return np.array([[unit.count(str(number)) for number in range(1, 6)] for unit in units])


def test_fleiss_kappa_is_that_of_his_table() -> None:
    counts = np.array([[int(digit) for digit in row] for row in FLEISS_1971.split()])
    assert counts.shape == (30, 5)
    assert set(counts.sum(1)) == {6}
    found = agreement_of_counts(counts)
    assert found.fleiss[0] == pytest.approx(0.430, abs=5e-4)
    assert found.percent[0] == pytest.approx(55.5, abs=0.06)


def test_alpha_is_that_of_krippendorffs_tables() -> None:
    assert agreement_of_counts(counts_of(OBSERVERS_2011)).alpha[0] == pytest.approx(0.743, abs=5e-4)
    assert agreement_of_counts(counts_of(CODERS)).alpha[0] == pytest.approx(0.691, abs=5e-4)


def test_cohens_kappa_is_that_of_his_table() -> None:
    confusion = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    assert cohen_kappa(confusion) == pytest.approx(0.492, abs=5e-4)


def test_worked_example() -> None:
    found = agreement_of_counts(np.array([[2, 0], [0, 2], [1, 1]]))
    assert found.percent[0] == pytest.approx(200 / 3)
    assert found.fleiss[0] == pytest.approx(1 / 3)
    assert found.alpha[0] == pytest.approx(4 / 9)


def test_images_with_one_answer_change_nothing() -> None:
    counts = np.array([[2, 1], [0, 3], [3, 0]])
    more = np.concatenate([counts, [[1, 0], [0, 0]]])
    np.testing.assert_allclose(agreement_of_counts(more), agreement_of_counts(counts))


def test_undefined_is_nan_and_no_warning() -> None:
    for counts in (np.array([[3, 0], [2, 0]]), np.array([[1, 0], [0, 1]])):
        found = agreement_of_counts(counts)
        assert np.isnan(found.alpha[0])
        assert np.isnan(found.fleiss[0])
    assert np.isnan(cohen_kappa(np.array([[5, 0], [0, 0]])))
    assert np.isnan(cohen_kappa(np.zeros((2, 2), int)))


counts_strategy = arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 5)), elements=st.integers(0, 4))


@given(counts_strategy, st.randoms())
@settings(deadline=None)
def test_names_of_classes_and_order_of_images_do_not_matter(counts: np.ndarray, random: object) -> None:
    generator = np.random.default_rng(random.randint(0, 2**32))  # type: ignore[attr-defined]
    other = generator.permutation(counts)[:, generator.permutation(counts.shape[1])]
    np.testing.assert_allclose(agreement_of_counts(other), agreement_of_counts(counts), atol=1e-9)


@given(arrays(np.int64, st.integers(2, 30), elements=st.integers(0, 3)), st.integers(2, 6))
@settings(deadline=None)
def test_perfect_agreement_is_one(labels: np.ndarray, n_answers: int) -> None:
    labels[:2] = 0, 1
    found = agreement_of_counts(np.eye(4, dtype=np.int64)[labels] * n_answers)
    assert found.percent[0] == pytest.approx(100)
    assert found.fleiss[0] == pytest.approx(1)
    assert found.alpha[0] == pytest.approx(1)
    assert cohen_kappa(count_pair(labels, labels, 4)) == pytest.approx(1)


def test_random_answers_are_near_zero() -> None:
    generator = np.random.default_rng(0)
    counts = generator.multinomial(5, (0.7, 0.2, 0.1), size=20_000)
    found = agreement_of_counts(counts)
    assert abs(found.alpha[0]) < 0.01
    assert abs(found.fleiss[0]) < 0.01
    assert found.percent[0] == pytest.approx(54, abs=1)


@given(st.integers(0, 2**32), st.integers(2, 5))
@settings(deadline=None, max_examples=50)
def test_resampled_kappa_is_that_of_scikit_learn(seed: int, k: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.integers(-1, k, (2, 40))
    # sometimes alike, else kappa is about 0 all the time
    second = np.where(generator.random(40) < 0.5, first, second)
    sums = pair_statistics(first, second, k).sum(0)
    expected = cohen_kappa(count_pair(first, second, k))
    np.testing.assert_allclose(kappa_of_sums(sums.astype(float)), expected, atol=1e-9)
    np.testing.assert_allclose(cohen_kappa(count_pair(second, first, k)), expected, atol=1e-9)
