"""What a round of relabelling gained, measured against many real votes that only the measurement knows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.verdicts import votes_of
from data.votes.counts import is_voted, leading, soft_labels
from relabel.soft_labels.kl import mean_kl


def label_gain(
    before: pd.DataFrame, after: pd.DataFrame, verdicts: pd.DataFrame, real: pd.DataFrame
) -> Iterator[tuple[str, float, float]]:
    """(name, before, after) for the labels of the images that were answered.

    Args:
        before: vote table of before the round.
        after: merged vote table.
        verdicts: the round's answers.
        real: vote table with the many votes that measure.

    An image without a vote counts as a uniform soft label: that is all that is known of it.
    """
    images = sorted(votes_of(verdicts)["image"].unique())
    truth = _counts(real, images, real)
    for_before, for_after = _counts(before, images, real), _counts(after, images, real)
    yield "images with a vote, share", float(is_voted(for_before).mean()), float(is_voted(for_after).mean())
    yield "majority right, share of the images", _share_right(for_before, truth), _share_right(for_after, truth)
    yield "KL to all real votes, nats", _kl(for_before, truth), _kl(for_after, truth)


def _counts(votes: pd.DataFrame, images: list[str], real: pd.DataFrame) -> np.ndarray:
    """(N, k) votes on these images, zeros where nobody voted; the classes are those of the real votes, sorted."""
    table = votes if "votes" in votes else votes.assign(votes=1)
    cells = table.groupby(["image", "label"])["votes"].sum().unstack(fill_value=0)
    counts: np.ndarray = cells.reindex(index=images, columns=sorted(real["label"].unique()), fill_value=0).to_numpy()
    return counts.astype(np.int64)


def _share_right(counts: np.ndarray, truth: np.ndarray) -> float:
    """Of images whose leading class is that of the truth; one that several classes lead counts in parts."""
    mine, theirs = leading(counts), leading(truth)
    n_pairs = np.maximum(mine.sum(1) * theirs.sum(1), 1)
    return float(((mine & theirs).sum(1) / n_pairs).mean())


def _kl(counts: np.ndarray, truth: np.ndarray) -> float:
    soft = np.where(is_voted(counts)[:, None], soft_labels(counts), 1 / counts.shape[1])
    return mean_kl(soft_labels(truth), soft)
