"""Parts of a data set and the paper's way to draw them (Table 1), and the training labels made of the votes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from data.errors import InputError, name_some
from data.votes.counts import is_voted, majority, soft_labels
from training.options import SplitOptions

PARTS = ("labelled", "unlabelled", "validation", "test", "waiting")
PAPER, STABLE = "paper", "stable"


class Split(NamedTuple):
    """Row numbers of each part, ascending."""

    labelled: np.ndarray
    unlabelled: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    waiting: np.ndarray = np.array([], np.int64)
    """Without votes, and kept from training: once answered, they measure."""

    def part_names(self, n_images: int) -> np.ndarray:
        """(N,) the part of each image."""
        names = np.empty(n_images, dtype="<U10")
        for part, rows in zip(PARTS, self, strict=True):
            names[rows] = part
        return names


def split_images(
    counts: np.ndarray, images: Sequence[str], classes: tuple[str, ...], options: SplitOptions, seed: int
) -> Split:
    """Splits by seed, each class in proportion; images without votes join the unlabelled part.

    Args:
        counts: (N, k) votes.
        images: N names, by which ties are broken.

    Raises:
        InputError: too few images, or a class that the labelled part would lack.
    """
    check_shares(options, most_labelled=np.nextafter(1, 0))
    voted = np.flatnonzero(is_voted(counts))
    labels = majority(counts, images, seed)
    n_parts = 4 if options.test else 3
    sizes = np.bincount(labels[voted], minlength=len(classes))
    rare = [f"{name} ({size})" for name, size in zip(classes, sizes, strict=True) if size < n_parts]
    if rare:
        raise InputError(
            f"A split into {n_parts} parts needs {n_parts} images of each class by majority vote; "
            f"too few of {name_some(rare)}. Add images, or go on without these classes: --merge-rare {n_parts} makes"
            f" them one class, --drop-rare {n_parts} leaves their votes uncounted."
        )
    validation, rest = _take(voted, labels, options.validation * len(voted), seed)
    test, rest = _take(rest, labels, options.test * len(voted), seed + 1)
    for name, share, rows in (("validation", options.validation, validation), ("test", options.test, test)):
        if share and not len(rows):
            raise InputError(f"{name} = {share} of {len(voted)} images is less than one; raise it or add images.")
    labelled, unlabelled = _take(rest, labels, options.labelled * len(rest), seed + 2)
    absent = [classes[index] for index in np.setdiff1d(np.arange(len(classes)), labels[labelled])]
    if absent or not len(unlabelled):
        raise InputError(
            f"{len(labelled)} labelled of {len(voted)} images leave no label for {name_some(absent)}; "
            "raise the labelled share or add images of these classes."
        )
    unlabelled = np.concatenate([unlabelled, np.flatnonzero(~is_voted(counts))])
    return Split(*(np.sort(rows) for rows in (labelled, unlabelled, validation, test)))


def check_shares(options: SplitOptions, most_labelled: float = 1.0) -> None:
    """Raises InputError with every share that is out of range."""
    faults = [] if 0 < options.validation < 1 else [f"validation = {options.validation} must lie between 0 and 1"]
    if not 0 < options.labelled <= most_labelled:
        least = "above 0 and at most 1" if most_labelled == 1 else "between 0 and 1"
        faults.append(f"labelled = {options.labelled} must lie {least}")
    if not 0 <= options.test < 1 or options.validation + options.test >= 1:
        faults.append(f"test = {options.test} must be at least 0, and with validation stay below 1")
    if faults:
        raise InputError("The split cannot be made: " + "; ".join(faults) + ".")


def _take(rows: np.ndarray, labels: np.ndarray, size: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Takes about `size` of the rows, classes in proportion; returns (taken, rest)."""
    n_taken = round(size)
    if n_taken == 0:
        return rows[:0], rows
    n_classes = len(set(labels[rows]))
    if min(n_taken, len(rows) - n_taken) < n_classes:
        raise InputError(
            f"Too few images: a part of {n_taken} out of {len(rows)} cannot hold each of {n_classes} classes; "
            "add images or change the shares of the split."
        )
    from sklearn.model_selection import train_test_split  # here: 2 s

    rest, taken = train_test_split(rows, test_size=n_taken, random_state=seed, stratify=_at_least_two(labels[rows]))
    return taken, rest


def _at_least_two(labels: np.ndarray) -> np.ndarray:
    """Joins classes with a single image left into one stratum: scikit-learn stratifies from two up."""
    sizes = np.bincount(labels)
    return labels if (sizes[labels] > 1).all() else np.where(sizes[labels] > 1, labels, labels[sizes[labels] > 1][0])


def draw_targets(
    counts: np.ndarray, images: Sequence[str], kind: Literal["drawn", "majority", "soft"], seed: int
) -> np.ndarray:
    """Makes (N, k) training targets from the votes: one-hot for 'drawn' and 'majority', the soft label for 'soft'.

    'drawn' takes ONE class at random from each soft label, a noisy annotation as in the paper (section 3.1).
    """
    soft = soft_labels(counts)
    if kind == "soft":
        return soft
    labels = majority(counts, images, seed)
    if kind == "drawn":
        # whole numbers, so that rounding can never draw a class without votes
        draws = np.random.default_rng(seed).integers(0, np.maximum(counts.sum(1), 1))
        labels = np.where(is_voted(counts), (counts.cumsum(1) <= draws[:, None]).sum(1), 0)
    return np.eye(counts.shape[1])[labels]
