"""Agreement coefficients from counts: raw per cent, Fleiss' kappa, Krippendorff's alpha; and Cohen's for pairs.

All of them are functions of sums over images, so that a bootstrap over images is one matrix product.
"""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import cohen_kappa_score


class Agreement(NamedTuple):
    """Each (B,) for B sets of images; NaN where undefined (no image judged twice, or a single class)."""

    percent: np.ndarray
    """0 to 100: chance that two answers on an image, drawn at random, are the same; chance agreement is not taken
    off, so it is high wherever one class is frequent."""
    fleiss: np.ndarray
    """1 all agree, 0 as by chance, below 0 less (Fleiss 1971)."""
    alpha: np.ndarray
    """1 all agree, 0 as by chance, below 0 less (Krippendorff 2011, nominal); unequal numbers of answers allowed."""


def image_statistics(counts: np.ndarray) -> np.ndarray:
    """(N, 3 + k) what the coefficients need of each image: 1, agreement, disagreement, counts of the classes.

    Images with fewer than two answers are all zero: they hold no pair.

    Args:
        counts: (N, k) answers of each class.
    """
    total = counts.sum(1)
    paired = total >= 2
    m = np.where(paired, total, 2).astype(np.float64)
    squares = (counts.astype(np.float64) ** 2).sum(1)
    agreement = (squares - m) / (m * (m - 1))
    disagreement = (m**2 - squares) / (m - 1)
    columns = np.column_stack([np.ones(len(m)), agreement, disagreement, counts])
    return columns * paired[:, None]


def agreement_of_sums(sums: np.ndarray) -> Agreement:
    """Coefficients of B sets of images from the (B, 3 + k) sums of `image_statistics`.

    With unequal numbers of answers Fleiss' kappa, which is defined for equal ones, weighs images alike in the observed
    and answers alike in the expected agreement.
    """
    images, agreement, disagreement, classes = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    with np.errstate(invalid="ignore", divide="ignore"):
        n = classes.sum(1)
        observed = agreement / images
        squares = (classes**2).sum(1)
        expected = squares / n**2
        fleiss = (observed - expected) / np.where(n**2 > squares, 1 - expected, np.nan)
        alpha = 1 - (n - 1) * disagreement / np.where(n**2 > squares, n**2 - squares, np.nan)
    return Agreement(100 * observed, fleiss, alpha)


def agreement_of_counts(counts: np.ndarray) -> Agreement:
    """Coefficients of one set of images, each of shape (1,).

    Example: the counts (2, 0), (0, 2), (1, 1) agree by 66.7 %; Fleiss' kappa is 1/3 and alpha 4/9.
    """
    return agreement_of_sums(image_statistics(counts).sum(0, keepdims=True))


def count_pair(first: np.ndarray, second: np.ndarray, n_classes: int) -> np.ndarray:
    """(k, k) images that were called row by the first and column by the second; -1 is no answer."""
    both = (first >= 0) & (second >= 0)
    cells = first[both].astype(np.int64) * n_classes + second[both]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def cohen_kappa(confusion: np.ndarray) -> float:
    """Cohen's kappa of two annotators from their (k, k) counts; NaN where both always gave one and the same class."""
    rows, columns = np.nonzero(confusion)
    if not len(rows) or (len(rows) == 1 and rows[0] == columns[0]):
        return float("nan")
    return float(cohen_kappa_score(rows, columns, sample_weight=confusion[rows, columns]))


def pair_statistics(first: np.ndarray, second: np.ndarray, n_classes: int) -> np.ndarray:
    """(N, 2 + 2k) float32 what Cohen's kappa needs of each image: judged by both, agreed, class of either."""
    both = (first >= 0) & (second >= 0)
    kinds = np.arange(n_classes)
    one, two = ((labels[:, None] == kinds) & both[:, None] for labels in (first, second))
    return np.column_stack([both, both & (first == second), one, two]).astype(np.float32)


def kappa_of_sums(sums: np.ndarray) -> np.ndarray:
    """(...,) Cohen's kappa from (..., 2 + 2k) sums of `pair_statistics`; the same as `cohen_kappa`."""
    k = (sums.shape[-1] - 2) // 2
    n = sums[..., 0]
    chance = (sums[..., 2 : 2 + k] * sums[..., 2 + k :]).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa: np.ndarray = (n * sums[..., 1] - chance) / np.where(n**2 > chance, n**2 - chance, np.nan)
    return kappa
