"""The map of all images: embeddings in two dimensions."""

from typing import Literal

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

FEWEST = 3
"""Images that a map needs; fewer lie in the middle."""


def place_images(embedding: np.ndarray, kind: Literal["pca", "tsne"], seed: int) -> np.ndarray:
    """(N, 2) places of (N, F) embeddings.

    Args:
        kind: PCA keeps distances between far groups, t-SNE pulls neighbours together.
        seed: of t-SNE.
    """
    n, features = embedding.shape
    if n < FEWEST or not np.ptp(embedding, axis=0).any():
        return np.zeros((n, 2))
    if kind == "tsne":
        return np.asarray(
            TSNE(perplexity=min(30.0, (n - 1) / 3), init="random", random_state=seed).fit_transform(embedding)
        )
    places = PCA(min(2, features), svd_solver="full").fit_transform(embedding)
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
