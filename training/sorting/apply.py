"""A sorting fitted on a run's training images, and applied to all of its predictions."""

from collections.abc import Iterator

import numpy as np
import torch

from data.predictions import Predictions
from training.options import SortingOptions
from training.sorting import SORTINGS
from training.sorting.sorting import Seen, Sorting

TRAINING_PARTS = ("labelled", "unlabelled")
"""What a sorting may be fitted on; the others measure it."""
_BATCH = 4096


def fit_sorting(predictions: Predictions, options: SortingOptions, prior: float, seed: int) -> Sorting:
    """Fits the sorting that the options name, on the training images alone.

    Args:
        predictions: of the network, not yet sorted.
        prior: p_A of the training.
    """
    mine = predictions.select(_is_training(predictions))
    seen = Seen(mine.classes, mine.clusters, mine.ambiguity, mine.embedding)
    return SORTINGS[options.sorting].fit(seen, options, prior, seed)


def has_training_images(predictions: Predictions) -> bool:
    """Whether a sorting can be fitted on them; those of one part alone have none."""
    return bool(_is_training(predictions).any())


def _is_training(predictions: Predictions) -> np.ndarray:
    return np.isin(predictions.parts, TRAINING_PARTS)


@torch.inference_mode()
def sort_predictions(predictions: Predictions, sorting: Sorting) -> Predictions:
    """The same images with cluster probabilities and ambiguity as the sorting has them."""
    found = [
        [values.numpy() for values in sorting.cpu()(*batch)]
        for batch in _batches(predictions.classes, predictions.clusters, predictions.ambiguity, predictions.embedding)
    ]
    clusters, ambiguity = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return predictions._replace(clusters=clusters, ambiguity=ambiguity)


def _batches(*arrays: np.ndarray) -> Iterator[tuple[torch.Tensor, ...]]:
    for first in range(0, len(arrays[0]), _BATCH):
        # copies: what comes out of a Parquet file cannot be written to, which torch warns of
        yield tuple(torch.tensor(values[first : first + _BATCH]) for values in arrays)
