"""What is known of an image's votes before the next one: a Dirichlet distribution of network and annotators."""

from typing import Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from data.predictions import Predictions

SLIP = 0.01
"""Share of p_n spread over all classes: a network can be sure and wrong, and annotators slip (1 in 100)."""
PRIOR_VOTES = 2.0
"""Where the validation part cannot tell: it has no image with two votes."""
FEWEST, MOST = 0.05, 50.0
"""Bounds of the fit; with all votes of a kind the likelihood alone knows none."""


def believe(
    predictions: Predictions, known_votes: Literal["all", "labelled", "none"], prior_votes: float
) -> np.ndarray:
    """(N, k) concentrations: votes given so far, and p_n in place of `prior_votes` votes.

    Example: votes 1 0, p_n = 0.5 0.5 and two prior votes give 2 1: the first class has two thirds.
    """
    return known(predictions, known_votes) + prior_votes * _soften(predictions.classes)


def known(predictions: Predictions, known_votes: Literal["all", "labelled", "none"]) -> np.ndarray:
    """(N, k) the votes that proposals may know of; zeros for the others."""
    if known_votes == "all":
        return predictions.votes.astype(float)
    kept = (predictions.parts == "labelled") & (known_votes == "labelled")
    return np.where(kept[:, None], predictions.votes, 0).astype(float)


def shares(belief: np.ndarray) -> np.ndarray:
    """(N, k) expected share of each class among the votes."""
    return belief / belief.sum(1, keepdims=True)


def fit_prior_votes(predictions: Predictions) -> float:
    """How many votes p_n is worth: the number under which the votes of the validation part are most likely.

    Below 1 where annotators mostly agree on one class and the network is unsure which: the first vote then tells most.
    `PRIOR_VOTES` where no validation image has two votes. Likelihood: Dirichlet-multinomial, concentrations s p_n.
    """
    part = predictions.part("validation")
    part = part.select(part.votes.sum(1) > 1)
    if not len(part.images):
        return PRIOR_VOTES
    votes, prior = part.votes.astype(float), _soften(part.classes)
    n = votes.sum(1)

    def loss(log_s: float) -> float:
        s = np.exp(log_s)
        images = gammaln(s) - gammaln(s + n) + (gammaln(s * prior + votes) - gammaln(s * prior)).sum(1)
        return -float(images.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(FEWEST), np.log(MOST)), method="bounded").x))


def _soften(classes: np.ndarray) -> np.ndarray:
    return (1 - SLIP) * classes.astype(float) + SLIP / classes.shape[1]
