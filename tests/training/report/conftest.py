"""Random predictions with the shapes and sums of real ones."""

from collections.abc import Callable

import numpy as np
import pytest

from data.predictions import Predictions


def make_predictions(
    n: int = 24,
    k: int = 3,
    n_clusters: int = 6,
    ambiguity: float | None = None,
    names: tuple[str, ...] = (),
    seed: int = 0,
) -> tuple[Predictions, np.ndarray]:
    """Voted images of one part, and their pixels; `ambiguity` for all of them, random without."""
    generator = np.random.default_rng(seed)
    p_a = generator.random(n) if ambiguity is None else np.full(n, ambiguity)
    predictions = Predictions(
        np.array([f"{index}.png" for index in range(n)]),
        np.full(n, "validation"),
        generator.dirichlet(np.full(k, 0.2), n).astype(np.float32),
        generator.dirichlet(np.full(n_clusters, 0.2), n).astype(np.float32),
        p_a.astype(np.float32),
        generator.normal(size=(n, 8)).astype(np.float32),
        generator.multinomial(5, generator.dirichlet(np.full(k, 0.3), n)).astype(np.int64),
        names or tuple(f"class {index}" for index in range(k)),
    )
    return predictions, generator.integers(0, 256, (n, 12, 12, 3), dtype=np.uint8)


@pytest.fixture(name="make_predictions")
def _make_predictions() -> Callable[..., tuple[Predictions, np.ndarray]]:
    return make_predictions
