"""Measures that tiny clusters cannot win: each image is judged by the OTHER members of its cluster.

The paper's d (Eq. 4) measures an image against a mean that it is part of, and counts a cluster of one as much as one of
a hundred: a cluster of one has d = 0, so many tiny clusters make d small. Leaving the image out is what an annotator
meets: the others say what the cluster is, and it must fit.
"""

from collections.abc import Iterator

import numpy as np

from data.votes.counts import is_voted, majority, soft_labels

N_SHUFFLES = 20
"""Permutations whose mean is the chance level; at 2,000 images their standard error is below 0.2 points."""

Metric = tuple[str, float]


def proposals_right(classes: np.ndarray, clusters: np.ndarray, truth: np.ndarray) -> float:
    """Share of all images whose proposal is right, 0 to 1: what an annotator is offered, and how often it is so.

    A certain image is proposed its class; an ambiguous one the class that most OTHER members of its cluster have. An
    image alone in its cluster is wrong, for nobody proposes anything for it. Where m classes are met equally often
    among the others, the image counts 1/m if its own is one of them.

    Example: truth 0 1 | 0 0 1 | 1 with two certain images predicted 0 0, a cluster of three and a cluster of one: right
    are the first certain image and nothing else (for each 0 of the cluster the others are 0 and 1: 1/2 each; the 1
    meets two 0), so (1 + 1/2 + 1/2) / 6 = 1/3.

    Args:
        classes: (N,) predicted class.
        clusters: (N,) cluster of an ambiguous image, -1 for a certain one.
        truth: (N,) majority of the votes; of a tie the class that `data.votes.counts.majority` draws, as everywhere.
    """
    ambiguous = clusters >= 0
    n_right = float((classes == truth)[~ambiguous].sum())
    return (n_right + float(_judge_by_others(clusters[ambiguous], truth[ambiguous]).sum())) / len(truth)


def _judge_by_others(clusters: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(N,) 1 where the others of an image's cluster have mostly its class, 1/m where m classes lead, else 0.

    Without the image its class has one member less. So only the class that leads alone can be right: by two members or
    more always, by one it ties with those that come second, unless it is alone.
    """
    if not len(truth):
        return np.zeros(0)
    _, places = np.unique(clusters, return_inverse=True)
    k = int(truth.max()) + 1
    sizes = np.bincount(places * k + truth, minlength=(int(places.max()) + 1) * k).reshape(-1, k)
    top = sizes.argmax(1)
    rows = np.arange(len(sizes))
    own = sizes[rows, top] - 1
    others = sizes.copy()
    others[rows, top] = -1
    second = np.maximum(others.max(1), 0)
    n_second = (others == second[:, None]).sum(1)
    share = np.where(own > second, 1.0, np.where((own == second) & (own > 0), 1 / (1 + n_second), 0.0))
    return np.where(truth == top[places], share[places], 0.0)


def purity_left_out(clusters: np.ndarray, truth: np.ndarray) -> float:
    """Share of images whose class is the one that most OTHER members of their cluster have, 0 to 1.

    An image alone in its cluster counts wrong, and where m classes are met equally often among the others, the image
    counts 1/m if its own is one of them.
    Example: truth 0 0 1 | 1 gives (1/2 + 1/2 + 0 + 0) / 4 = 1/4; purity as it is mostly counted, own image included,
    would be 3/4, and 1 if each image were a cluster.

    Args:
        clusters: (N,) cluster numbers, N at least 1.
        truth: (N,) majority of the votes.
    """
    return float(_judge_by_others(clusters, truth).mean())


def left_out_distance(votes: np.ndarray, clusters: np.ndarray) -> float:
    """d with each image left out of its cluster's mean, averaged over images; 0 (alike) to sqrt(2), lower is better.

    The distance of an image's soft label to the mean of the others in its cluster. An image alone in its cluster is
    measured against the mean of all other images, as if it were in no cluster.

    Example: votes 4:0 and 0:3 in one cluster lie sqrt(2) = 1.414 from each other; the paper's d says 0.707.

    Args:
        votes: (N, k) counts, N at least 2.
        clusters: (N,) cluster numbers.
    """
    return _distance(soft_labels(votes), *np.unique(clusters, return_inverse=True, return_counts=True)[1:])


def _distance(soft: np.ndarray, places: np.ndarray, sizes: np.ndarray) -> float:
    sums = np.zeros((len(sizes), soft.shape[1]))
    np.add.at(sums, places, soft)
    n_others = sizes[places] - 1
    alone = n_others == 0
    others = np.where(alone[:, None], sums.sum(0), sums[places]) - soft
    mean = others / np.where(alone, len(soft) - 1, n_others)[:, None]
    return float(np.linalg.norm(soft - mean, axis=1).mean())


def right_metrics(
    classes: np.ndarray, clusters: np.ndarray, truth: np.ndarray, commonest: int | None, seed: int
) -> Iterator[Metric]:
    """proposals_right, and what would be right by chance.

    `..._shuffled`: the same clusters with their members shuffled among the ambiguous images, mean of 20 permutations;
    left out where no image is ambiguous. `..._commonest`: always the commonest class.

    Args:
        commonest: the class that is commonest in the labelled part; None leaves that figure out.
        seed: of the permutations.
    """
    yield "proposals_right", proposals_right(classes, clusters, truth)
    ambiguous = np.flatnonzero(clusters >= 0)
    if len(ambiguous):
        n_right = float((classes == truth)[clusters < 0].sum())
        generator, found = np.random.default_rng(seed), []
        for _ in range(N_SHUFFLES):
            shuffled = clusters[generator.permutation(ambiguous)]
            found.append((n_right + float(_judge_by_others(shuffled, truth[ambiguous]).sum())) / len(truth))
        yield "proposals_right_shuffled", float(np.mean(found))
    if commonest is not None:
        yield "proposals_right_commonest", float((truth == commonest).mean())


def left_out_metrics(
    classes: np.ndarray, clusters: np.ndarray, votes: np.ndarray, truth: np.ndarray, seed: int
) -> Iterator[Metric]:
    """purity_left_out and d_left_out on the images that the paper's d is measured on; none for one image.

    Of d_left_out also its levels by chance:

    `..._shuffled`: mean of 20 permutations of the clusters. `..._commonest`: all in one group, as they are for who
    always says the commonest class. Where all images are certain, the predicted classes serve as clusters over all.
    """
    ambiguous = clusters >= 0
    groups = clusters[ambiguous] if ambiguous.any() else classes
    soft = soft_labels(votes[ambiguous] if ambiguous.any() else votes)
    if len(soft) < 2:
        return
    yield "purity_left_out", purity_left_out(groups, truth[ambiguous] if ambiguous.any() else truth)
    _, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    generator = np.random.default_rng(seed)
    shuffled = [_distance(soft, generator.permutation(places), sizes) for _ in range(N_SHUFFLES)]
    yield "d_left_out", _distance(soft, places, sizes)
    yield "d_left_out_shuffled", float(np.mean(shuffled))
    yield "d_left_out_commonest", _distance(soft, np.zeros(len(soft), int), np.array([len(soft)]))


def commonest_class(counts: np.ndarray, names: np.ndarray | tuple[str, ...], seed: int) -> int | None:
    """The class that most images have by majority vote, the first at a tie; None where nobody voted.

    Args:
        counts: (N, k) votes of the labelled images: what is proposed must not be learnt from those it is measured on.
        names: N.
        seed: of the run, for ties of an image's votes.
    """
    voted = is_voted(counts)
    if not voted.any():
        return None
    return int(np.bincount(majority(counts, names, seed)[voted], minlength=counts.shape[1]).argmax())
