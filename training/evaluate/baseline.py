"""The fair baselines that the paper lacks: what a user would do without DC3, from a vanilla run."""

from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans

from data.errors import InputError
from data.predictions import Predictions
from training.evaluate.metrics import proposal_metrics, trust_metrics
from training.evaluate.right import proposals_right
from training.options import SortingOptions
from training.sorting.apply import fit_sorting, sort_predictions


class Baseline(NamedTuple):
    """The figures of DC3, reached without it."""

    f1: float
    d: float
    d_minus_f1: float
    right: float
    """proposals_right."""
    auroc: float | None
    """Of 1 - max p_n against 'annotators disagree'; None where all agree or all disagree."""


def fair_baseline(vanilla: Predictions, ambiguous_share: float, seed: int, part: str = "validation") -> Baseline:
    """The strongest simple one: the least confident images, clustered inside each predicted class.

    It is the sorting by confidence, fitted on the training images as any other, and measured on `part`; the clusters
    are as many as the run has.

    Args:
        vanilla: all predictions of a vanilla run.
        ambiguous_share: share of the images that DC3 called ambiguous, 0 to 1.
        seed: of k-means.
    """
    _check_share(ambiguous_share)
    options = SortingOptions("confidence", ambiguous_share=ambiguous_share)
    sorting = fit_sorting(vanilla, options, ambiguous_share, seed)
    found = sort_predictions(vanilla.part(part), sorting)
    return _measure(found, np.where(found.certain, -1, found.clusters.argmax(1)))


def flat_baseline(vanilla: Predictions, ambiguous_share: float, n_clusters: int, seed: int) -> Baseline:
    """The plain one: sets aside the least confident images and clusters all of them by k-means of their embeddings.

    Args:
        vanilla: voted images of one part, predicted by a vanilla run.
        ambiguous_share: as above; round(N * (1 - share)) are certain.
        n_clusters: k' of the DC3 run; fewer are made of fewer different images.
        seed: of k-means.
    """
    _check_share(ambiguous_share)
    confidence = vanilla.classes.max(1)
    n_certain = round(len(confidence) * (1 - ambiguous_share))
    rest = np.argsort(-confidence, kind="stable")[n_certain:]
    clusters = np.full(len(confidence), -1)
    if len(rest):
        clusters[rest] = _cluster(vanilla.embedding[rest], n_clusters, seed)
    return _measure(vanilla, clusters)


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise InputError(f"ambiguous_share = {share} must lie between 0 and 1: take DC3's own metric.")


def _measure(vanilla: Predictions, clusters: np.ndarray) -> Baseline:
    classes, truth = vanilla.classes.argmax(1), vanilla.labels
    found = dict(proposal_metrics(classes, clusters, vanilla.votes, truth))
    auroc = dict(trust_metrics(1 - vanilla.classes.max(1), vanilla.votes)).get("ambiguity_auroc")
    right = proposals_right(classes, clusters, truth)
    return Baseline(found["f1"], found["d"], found["d_minus_f1"], right, auroc)


def _cluster(embedding: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """(N,) cluster numbers; ten starts, so that the baseline is not weak by bad luck."""
    # k-means warns, and makes empty clusters, when asked for more clusters than there are different points
    n = min(n_clusters, len(np.unique(embedding, axis=0)))
    numbers: np.ndarray = KMeans(n, n_init=10, random_state=seed).fit_predict(embedding)
    return numbers
