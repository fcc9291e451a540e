"""Ambiguous is what the network is least confident of; its cluster is the nearest centre of its predicted class.

Without any of DC3's terms, and for any network: 1 - max p_n with a border, and k-means on the features of the ambiguous
training images inside each predicted class. On CIFAR-10H with pretrained features it beats the paper's best d - F1.
"""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from training.options import SortingOptions
from training.sorting.border import border_at_share
from training.sorting.centres import find_centres
from training.sorting.sorting import Seen, Sorting

TINY = 1e-30
LEAST_GAP = 1e-3
"""Squared, of features of length one: below it rounding errors would be graded."""
BELOW_HALF = float(np.nextafter(np.float32(0.5), np.float32(0)))


class ConfidenceSorting(Sorting):
    """Border, centres and what the features are measured by."""

    gives_ambiguity = True
    words = (
        "ambiguous from a border of 1 - max p_n on (ambiguous_from, or so that ambiguous_share of the training images"
        " are, or else the prior is their share); clusters by k-means on the features inside each predicted class"
    )
    border: Tensor
    centres: Tensor
    owners: Tensor
    mean: Tensor
    gap: Tensor

    def __init__(self, border: Tensor, centres: Tensor, owners: Tensor, mean: Tensor, gap: Tensor) -> None:
        """`border` () of 1 - max p_n, `centres` (k', F), `owners` (k',) class or -1, `mean` (F), `gap` ()."""
        super().__init__()
        for name, values in locals().copy().items():
            if isinstance(values, Tensor):
                self.register_buffer(name, values)

    @classmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        """Takes the border of the options, else the one at their share, else at the prior; then the centres."""
        scores = doubt(torch.from_numpy(seen.classes)).numpy()
        border = options.ambiguous_from
        if border is None:
            share = prior if options.ambiguous_share is None else options.ambiguous_share
            border = border_at_share(scores, share)
        mean = seen.features.mean(0)
        ambiguous = scores >= np.float32(border)
        features = unit_length(torch.from_numpy(seen.features[ambiguous]), torch.from_numpy(mean)).numpy()
        k, n_clusters = seen.classes.shape[1], seen.clusters.shape[1]
        found = find_centres(features, seen.classes[ambiguous].argmax(1), k, n_clusters, seed)
        return cls(
            torch.tensor(border, dtype=torch.float32),
            torch.from_numpy(found.places),
            torch.from_numpy(found.owners),
            torch.from_numpy(mean),
            torch.tensor(max(found.gap, LEAST_GAP), dtype=torch.float32),
        )

    def forward(self, classes: Tensor, clusters: Tensor, ambiguity: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """The softmax over the centres of the predicted class, by distance; the odds of 1 - max p_n to the border's."""
        turned = unit_length(features, self.mean)
        # the squared distance without the image's own square, which is the same for all centres
        near = (2 * turned @ self.centres.T - (self.centres**2).sum(1)) / self.gap
        mine = classes.argmax(1, keepdim=True) == self.owners
        return torch.where(mine, near, float("-inf")).softmax(1), calibrate(doubt(classes), self.border)

    def facts(self) -> dict[str, float]:
        """The border, and how many clusters are in use."""
        return {"ambiguous_from": float(self.border), "clusters": float((self.owners >= 0).sum())}


def doubt(classes: Tensor) -> Tensor:
    """(N,) 1 - max p_n of (N, k) probabilities, 0 to 1 - 1/k, as the sum of all others.

    The difference itself would keep one digit of 1e-7, and an overconfident network says nothing else.
    """
    return classes.sort(1).values[:, :-1].sum(1)


def calibrate(scores: Tensor, border: Tensor) -> Tensor:
    """(N,) 0 to 1, growing with the score, one half exactly on the border and below it exactly for lower scores.

    It is the odds of the score, s / (1 - s), in those of the border: of s and b, s (1 - b) / (s (1 - b) + b (1 - s)).
    Example: with the border at 0.2 scores of 0.1 and 0.5 give 0.31 and 0.8.
    """
    for_it, against = scores * (1 - border), border * (1 - scores)
    odds = for_it / (for_it + against).clamp(min=TINY)
    return torch.where(scores < border, odds.clamp(max=BELOW_HALF), odds.clamp(min=0.5))


def unit_length(features: Tensor, mean: Tensor) -> Tensor:
    """(N, F) of length one, seen from the mean of the training images.

    As they are, a few large features decide, and k-means makes tiny clusters of them. On CIFAR-10H (lite0, three seeds)
    the purity with the own image left out is 57.2 %, as they are 56.7 %, divided by their deviation 57.0 %.
    """
    moved = features - mean
    return moved / moved.norm(dim=1, keepdim=True).clamp(min=TINY)
