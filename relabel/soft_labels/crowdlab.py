"""CROWDLAB (arXiv 2210.06812) by cleanlab: votes and a model's probabilities, each weighed by how far it is trusted."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError
from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import Ballots, require_annotators


class Trust(NamedTuple):
    """What cleanlab estimates of annotators and model."""

    model: float
    """Weight of the model's probabilities."""
    annotators: np.ndarray
    """(J,) weight of each annotator's answer."""
    agreement: float
    """Mean share of an image's annotators who give its consensus label, over images with more than one; above 0."""


def weigh_with_model(ballots: Ballots, options: EstimateOptions) -> np.ndarray:
    """(N, k) weighted mean of the model's probabilities and of each annotator's answer.

    An answer counts as `agreement` for its class, the rest of it shared by the others. The model must not have been
    trained on these votes, or it is trusted too much. An annotator who judged an image more than once counts there
    once, with the last answer of the ballots.

    Raises InputError without cleanlab, without `probabilities`, when a vote names no annotator, when no two
    annotators agree on any image, and when nothing decides any image.
    """
    require_annotators(ballots, "CROWDLAB")
    if ballots.probabilities is None:
        raise InputError("CROWDLAB weighs votes against a model: give a run's predictions.parquet as --predictions.")
    answers = _spread(ballots)
    given = ~np.isnan(answers)
    k = len(ballots.classes)
    if not any(((answers == number).sum(1) > 1).any() for number in range(k)):
        raise InputError("CROWDLAB compares annotators: on at least one image two must agree, and nowhere do they.")
    trust = _estimate_trust(answers, ballots.probabilities)
    elsewhere = (1 - trust.agreement) / (k - 1)
    soft = trust.model * ballots.probabilities
    weights = given * trust.annotators
    for number in range(k):
        chance = np.where(answers == number, trust.agreement, elsewhere)
        soft[:, number] += (weights * chance).sum(1)
    return soft / soft.sum(1, keepdims=True)


def _spread(ballots: Ballots) -> np.ndarray:
    """(N, J) class number that each annotator gave each image, NaN where none."""
    answers = np.full((len(ballots.images), int(ballots.annotator.max()) + 1), np.nan)
    answers[ballots.image, ballots.annotator] = ballots.label
    return answers


def _estimate_trust(answers: np.ndarray, probabilities: np.ndarray) -> Trust:
    try:
        from cleanlab.multiannotator import get_label_quality_multiannotator
    except ImportError as error:
        text = "CROWDLAB needs cleanlab: pip install 'dc3[crowdlab]', or choose another estimator."
        raise InputError(text) from error
    try:
        with _repeatable_ties():
            found = get_label_quality_multiannotator(
                pd.DataFrame(answers),
                probabilities,
                return_detailed_quality=False,
                return_annotator_stats=False,
                return_weights=True,
                verbose=False,
            )
    except ValueError as error:
        if _has_majority(answers):
            raise
        text = "CROWDLAB needs an image on which most annotators agree, and this model is no help: give more votes"
        raise InputError(f"{text}, or choose another estimator ({error}).") from error
    quality = found["label_quality"]
    agreement = quality["annotator_agreement"][quality["num_annotations"] > 1].mean()
    return Trust(float(found["model_weight"]), np.asarray(found["annotator_weight"]), float(agreement))


def _has_majority(answers: np.ndarray) -> bool:
    """Whether one class leads on at least one image."""
    counts = np.stack([(answers == number).sum(1) for number in np.unique(answers[~np.isnan(answers)])], 1)
    leaders = (counts == counts.max(1, keepdims=True)).sum(1)
    return bool((leaders == 1).any())


@contextlib.contextmanager
def _repeatable_ties() -> Iterator[None]:
    """cleanlab draws lots for the consensus of an image that nothing else decides: the same ones every time."""
    state = np.random.get_state()  # the generator that cleanlab takes
    np.random.seed(0)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "breaking ties of examples", UserWarning)
            # where every image is a tie it takes the mean of nothing, and then has nothing to draw from
            warnings.filterwarnings("ignore", "Mean of empty slice|invalid value encountered", RuntimeWarning)
            yield
    finally:
        np.random.set_state(state)
