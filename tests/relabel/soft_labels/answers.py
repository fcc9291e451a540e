"""Simulated ballots that the tests of the estimators share."""

import numpy as np

from relabel.soft_labels.ballots import NOTHING, Ballots


def simulate_ballots(seed: int, n: int, k: int, n_annotators: int, n_votes: int) -> tuple[Ballots, np.ndarray]:
    """Votes of annotators whose skill is drawn from 0.5 to 0.95, and the (n,) true classes; no proposals shown."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(k, size=n)
    skill = generator.uniform(0.5, 0.95, n_annotators)
    image = np.repeat(np.arange(n), n_votes)
    annotator = np.concatenate([generator.choice(n_annotators, n_votes, replace=False) for _ in range(n)])
    is_right = generator.random(n * n_votes) < skill[annotator]
    wrong = (truth[image] + generator.integers(1, k, n * n_votes)) % k
    label = np.where(is_right, truth[image], wrong)
    return make_ballots(image, label, k, annotator), truth


def make_ballots(
    image: np.ndarray, label: np.ndarray, k: int, annotator: np.ndarray | None = None, shown: np.ndarray | None = None
) -> Ballots:
    """Ballots of M votes; nobody is named and nothing was shown where not given."""
    nothing = np.full(len(image), NOTHING)
    return Ballots(
        tuple(f"{row}.png" for row in range(int(image.max()) + 1)),
        tuple(f"class {number}" for number in range(k)),
        np.asarray(image),
        np.asarray(label),
        nothing if annotator is None else np.asarray(annotator),
        nothing if shown is None else np.asarray(shown),
    )
