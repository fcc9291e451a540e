"""The share of the votes: what every other estimate is compared with."""

import numpy as np

from data.votes.counts import soft_labels
from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import Ballots


def share_of_votes(ballots: Ballots, options: EstimateOptions) -> np.ndarray:
    """(N, k) share of each image's votes, the paper's l^.

    Example: votes 2 1 0 give 0.667 0.333 0.
    """
    return soft_labels(ballots.counts)
