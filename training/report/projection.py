"""Features to points of a plane that keeps neighbours together: t-SNE."""

import numpy as np
from sklearn.manifold import TSNE

LEAST_IMAGES = 5
"""Fewer different images than this have no neighbourhood to preserve."""
N_ITERATIONS = 500
"""Half of scikit-learn's default: the maps of 1500 images look alike, and a run's report waits half as long."""


def project(embedding: np.ndarray, seed: int) -> np.ndarray:
    """(N, F) features as (N, 2) points: t-SNE on the first 50 principal components, seeded.

    Fewer than five different images are shown by their first two principal components.
    """
    centred = embedding.astype(np.float64) - embedding.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    components = (left * sizes)[:, :50]
    start = np.pad(components, ((0, 0), (0, 2)))[:, :2]
    n = len(np.unique(embedding, axis=0))
    if n < LEAST_IMAGES:
        return start
    # scale as scikit-learn does for init="pca": a far larger start never unfolds
    start = start / start[:, 0].std() * 1e-4
    perplexity = min(30.0, (len(embedding) - 1) / 3)
    points: np.ndarray = TSNE(
        perplexity=perplexity, init=start, random_state=seed, max_iter=N_ITERATIONS
    ).fit_transform(components)
    return points
