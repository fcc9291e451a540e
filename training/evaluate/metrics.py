"""Metrics of the paper (section 3.2) and of trust in the ambiguity; each yields (name, value)."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from data.predictions import Predictions
from data.votes.counts import is_ambiguous, soft_labels, vote_entropy
from training.evaluate.right import commonest_class, left_out_metrics, right_metrics

CLEARLY_DISPUTED_BELOW = 0.8
"""Share of the top class below which an image is clearly disputed: with fifty votes an image a single stray vote is
'disagreement', and most of that is noise."""
DEGENERATE_SHARE = 0.1
"""A run is degenerate when no more than this share is predicted ambiguous, or certain (paper, section 3.2)."""

Metric = tuple[str, float]


def evaluate(predictions: Predictions, ambiguity_aware: bool, commonest: int | None = None) -> Iterator[Metric]:
    """All metrics of voted images.

    Args:
        predictions: images of one part, each with votes.
        ambiguity_aware: False for variants without p_a: all images are certain and none is degenerate.
        commonest: the class that is commonest in the labelled part; None where there is none to compare with.
    """
    certain, truth, classes = predictions.certain, predictions.labels, predictions.classes.argmax(1)
    clusters = np.where(certain, -1, predictions.clusters.argmax(1))
    yield from right_metrics(classes, clusters, truth, commonest, predictions.seed)
    yield from proposal_metrics(classes, clusters, predictions.votes, truth)
    yield from left_out_metrics(classes, clusters, predictions.votes, truth, predictions.seed)
    yield "degenerate", float(ambiguity_aware and is_degenerate(certain))
    if ambiguity_aware:
        yield from trust_metrics(predictions.ambiguity, predictions.votes)
    yield from class_metrics(classes, truth)
    yield "measured_images", float(len(truth))


def evaluate_part(predictions: Predictions, part: str, ambiguity_aware: bool) -> dict[str, float]:
    """All metrics of one part of a run's predictions, the commonest class learnt from its labelled part."""
    labelled = predictions.part("labelled")
    commonest = commonest_class(labelled.votes, labelled.images, predictions.seed)
    return dict(evaluate(predictions.part(part), ambiguity_aware, commonest))


def proposal_metrics(
    classes: np.ndarray, clusters: np.ndarray, votes: np.ndarray, truth: np.ndarray
) -> Iterator[Metric]:
    """f1 (weighted, on certain images), d and d_weighted (on ambiguous ones), d_minus_f1 and the ambiguous share.

    Args:
        classes: (N,) predicted class.
        clusters: (N,) cluster of an ambiguous image, -1 for a certain one. Where all are certain, the predicted
            classes serve as clusters over all images.
        votes: (N, k).
        truth: (N,) majority of the votes.

    `f1` is 0 to 1, higher is better; `d` is 0 (all members of each cluster have the same votes) to about 1.
    """
    certain = clusters < 0
    f1 = weighted_f1(truth[certain], classes[certain]) if certain.any() else 0.0
    groups = (votes, classes) if certain.all() else (votes[~certain], clusters[~certain])
    d = inner_distance(*groups)
    yield "f1", f1
    yield "d", d
    yield "d_weighted", weighted_inner_distance(*groups)
    yield "d_minus_f1", d - f1
    yield "ambiguous_share", float((~certain).mean())


def weighted_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """F1 of each class, weighted by its number of true images: 1 when all are right.

    Example: truth 0 0 1, predicted 0 1 1 gives F1 2/3 for both classes, so 2/3.
    """
    return float(f1_score(truth, predicted, average="weighted", zero_division=0.0))


def inner_distance(votes: np.ndarray, clusters: np.ndarray) -> float:
    """d of Eq. 4: mean over clusters of the mean Euclidean distance of soft labels to their cluster's mean.

    0 when each cluster is pure; two images with opposite votes in one cluster lie sqrt(1/2) = 0.707 from its mean.

    Args:
        votes: (N, k) counts.
        clusters: (N,) cluster numbers.
    """
    return float(np.mean([of_cluster.mean() for of_cluster in _distances_to_mean(votes, clusters)]))


def weighted_inner_distance(votes: np.ndarray, clusters: np.ndarray) -> float:
    """The same distances, averaged over images: a cluster counts by its size, so that tiny ones do not make it low.

    Example: opposite votes 4:0 and 0:4 in one cluster and a third image alone give (0.707 + 0.707 + 0) / 3 = 0.471; d,
    in which the one alone counts as much as the two, says 0.354.
    """
    return float(np.concatenate(_distances_to_mean(votes, clusters)).mean())


def _distances_to_mean(votes: np.ndarray, clusters: np.ndarray) -> list[np.ndarray]:
    """Of each cluster its members' distances to its mean."""
    soft = soft_labels(votes)
    members = [soft[clusters == cluster] for cluster in np.unique(clusters)]
    return [np.linalg.norm(rows - rows.mean(0), axis=1) for rows in members]


def is_degenerate(certain: np.ndarray) -> bool:
    """True when no more than 10 % of the images are predicted ambiguous, or no more than 10 % certain."""
    share = float(certain.mean())
    return share <= DEGENERATE_SHARE or 1 - share <= DEGENERATE_SHARE


def trust_metrics(ambiguity: np.ndarray, votes: np.ndarray) -> Iterator[Metric]:
    """Does the ambiguity find the images whose annotators disagree?

    `ambiguity_auroc`: chance that a disputed image scores above an agreed one, 0.5 is guessing. `..._clear`: the same
    for images whose top class has less than 80 % of the votes against all others. With each the number of images that
    are disputed in that sense. `ambiguity_rank`: Spearman correlation with the entropy of the votes, -1 to 1. Left out
    where undefined (all agree, or one score).
    """
    borders = {
        ("ambiguity_auroc", "disputed_images"): is_ambiguous(votes),
        ("ambiguity_auroc_clear", "clearly_disputed_images"): soft_labels(votes).max(1) < CLEARLY_DISPUTED_BELOW,
    }
    for (name, count), disputed in borders.items():
        if 0 < disputed.sum() < len(disputed):
            yield name, float(roc_auc_score(disputed, ambiguity))
            yield count, float(disputed.sum())
    entropy = vote_entropy(votes)
    if np.ptp(entropy) > 0 and np.ptp(ambiguity) > 0:
        yield "ambiguity_rank", float(spearmanr(ambiguity, entropy).statistic)


def class_metrics(classes: np.ndarray, truth: np.ndarray) -> Iterator[Metric]:
    """Accuracy and macro F1 of the predicted class against the majority vote, over all images."""
    yield "accuracy", float(accuracy_score(truth, classes))
    yield "macro_f1", float(f1_score(truth, classes, average="macro", zero_division=0.0))
