"""How typical images are of their group: the distance of their embeddings to its mean."""

import numpy as np


def distances(embedding: np.ndarray) -> np.ndarray:
    """(M,) distance of each image's embedding (M, F) to the mean."""
    values: np.ndarray = np.linalg.norm(embedding - embedding.mean(0), axis=1)
    return values


def order_typical(embedding: np.ndarray) -> np.ndarray:
    """(M,) row numbers, most typical first; at a tie in their order."""
    return distances(embedding).argsort(kind="stable")
