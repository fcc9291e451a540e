"""The baselines: the flat one against a slow reference, the fair one as the sorting that it is."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from data.errors import InputError
from data.predictions import Predictions
from training.evaluate.baseline import fair_baseline, flat_baseline
from training.evaluate.metrics import evaluate_part
from training.options import SortingOptions
from training.sorting.apply import fit_sorting, sort_predictions


def make_vanilla(n: int = 60, k: int = 3, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    return Predictions(
        np.arange(n).astype(str),
        np.full(n, "validation"),
        generator.dirichlet(np.ones(k), n).astype(np.float32),
        np.full((n, 2 * k), 1 / (2 * k), np.float32),
        np.zeros(n, np.float32),
        generator.normal(size=(n, 5)).astype(np.float32),
        generator.multinomial(4, generator.dirichlet(np.full(k, 0.4), n)),
        tuple("abc"[:k]),
    )


def slow_reference(vanilla: Predictions, share: float, n_clusters: int, seed: int) -> tuple[float, float, float]:
    """Typed from the issue, image by image."""
    n = len(vanilla.images)
    order = sorted(range(n), key=lambda row: -vanilla.classes[row].max())
    certain, rest = order[: round(n * (1 - share))], order[round(n * (1 - share)) :]
    truth, guess = vanilla.labels, vanilla.classes.argmax(1)
    f1 = 0.0
    for label in set(truth[certain]):
        hit = sum(truth[row] == guess[row] == label for row in certain)
        true, guessed = sum(truth[row] == label for row in certain), sum(guess[row] == label for row in certain)
        f1 += true / len(certain) * 2 * hit / (true + guessed)
    numbers = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(vanilla.embedding[rest])
    distances = []
    for cluster in set(numbers):
        soft = [
            vanilla.votes[row] / vanilla.votes[row].sum()
            for row, own in zip(rest, numbers, strict=True)
            if own == cluster
        ]
        distances.append(np.mean([np.sqrt(((row - np.mean(soft, 0)) ** 2).sum()) for row in soft]))
    doubt = 1 - vanilla.classes.max(1)
    disputed = np.array([(votes > 0).sum() > 1 for votes in vanilla.votes])
    pairs = [(a > b) + (a == b) / 2 for a in doubt[disputed] for b in doubt[~disputed]]
    return f1, float(np.mean(distances)), float(np.mean(pairs))


@pytest.mark.parametrize("share", [0.25, 0.58, 0.9])
def test_baseline_equals_the_slow_reference(share: float) -> None:
    vanilla = make_vanilla()
    found = flat_baseline(vanilla, share, 6, seed=3)
    f1, d, auroc = slow_reference(vanilla, share, 6, seed=3)
    assert (found.f1, found.d, found.auroc) == pytest.approx((f1, d, auroc))
    assert found.d_minus_f1 == pytest.approx(d - f1)


def test_fewer_images_than_clusters_give_one_cluster_each() -> None:
    assert flat_baseline(make_vanilla(10), 0.3, 50, seed=0).d == 0.0


def test_equal_embeddings_give_one_cluster() -> None:
    vanilla = make_vanilla(10)
    same = vanilla._replace(embedding=np.ones_like(vanilla.embedding))
    assert flat_baseline(same, 1.0, 5, seed=0).d > 0


def test_share_zero_is_the_vanilla_run_itself_and_share_one_has_no_f1() -> None:
    from training.evaluate.metrics import evaluate

    vanilla = make_vanilla()
    metrics = dict(evaluate(vanilla, ambiguity_aware=False))
    found = flat_baseline(vanilla, 0.0, 6, seed=0)
    assert (found.f1, found.d) == (metrics["f1"], metrics["d"])
    assert flat_baseline(vanilla, 1.0, 6, seed=0).f1 == 0.0


def test_auroc_is_undefined_where_all_annotators_agree() -> None:
    vanilla = make_vanilla()
    agreed = vanilla._replace(votes=np.eye(3, dtype=np.int64)[vanilla.votes.argmax(1)])
    assert flat_baseline(agreed, 0.5, 6, seed=0).auroc is None


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        flat_baseline(make_vanilla(), 58.0, 6, seed=0)
    with pytest.raises(InputError, match="between 0 and 1"):
        fair_baseline(make_vanilla(), -0.1, seed=0)


def test_the_fair_baseline_is_the_sorting_by_confidence_fitted_on_training_images() -> None:
    vanilla = make_vanilla(200)
    parted = vanilla._replace(parts=np.array(["labelled", "unlabelled", "validation", "test"])[np.arange(200) % 4])
    found = fair_baseline(parted, 0.6, seed=3)
    sorting = fit_sorting(parted, SortingOptions("confidence", ambiguous_share=0.6), prior=0.1, seed=3)
    expected = evaluate_part(sort_predictions(parted, sorting), "validation", ambiguity_aware=True)
    assert (found.f1, found.d, found.right) == (expected["f1"], expected["d"], expected["proposals_right"])
    assert expected["ambiguous_share"] == pytest.approx(0.6, abs=0.15)
    others = parted._replace(classes=np.where((parted.parts == "test")[:, None], 1 / 3, parted.classes))
    assert fair_baseline(others, 0.6, seed=3) == found, "other test images change nothing"


def test_the_fair_baseline_is_the_stronger_one_where_features_know_the_classes() -> None:
    """Clusters inside a predicted class hold what the network said; one k-means over all knows nothing of it."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 600)
    sure = np.eye(3)[truth] + random.dirichlet(np.ones(3), 600)
    vanilla = make_vanilla(600)._replace(
        classes=(sure / 2).astype(np.float32),
        votes=np.eye(3, dtype=np.int64)[truth] * 3,
        parts=np.where(np.arange(600) % 2, "unlabelled", "validation"),
    )
    fair = fair_baseline(vanilla, 0.6, seed=0)
    assert fair.right > flat_baseline(vanilla.part("validation"), 0.6, 6, seed=0).right + 0.2
