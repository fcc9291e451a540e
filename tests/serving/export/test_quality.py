"""A file of another precision may lose half a point on the validation images, and no more, in whatever counts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from data.predictions import Predictions
from serving.export import to_onnx
from serving.export.to_onnx import check_quality
from serving.model.card import BadModel
from serving.model.session import Scores

N = 800
"""Images; the first half is certain."""
VOTES = np.where(np.arange(N)[:, None] % 2, [0, 4], [4, 0])
VOTES[N // 2 :: 8] = [2, 2]


def predict() -> Scores:
    """All classes are right, each cluster has its votes for itself, and the disputed are the most ambiguous."""
    number = np.arange(N)
    classes = np.eye(2, dtype=np.float32)[number % 2]
    clusters = np.eye(10, dtype=np.float32)[VOTES[:, 1]]
    ambiguity = np.where(number < N // 2, 0.1, np.where(VOTES[:, 0] == 2, 0.9, 0.8)).astype(np.float32)
    return Scores(classes, clusters, ambiguity, np.zeros((N, 2), np.float32))


def fail_at_classes(scores: Scores, count: int) -> Scores:
    """The classes of the first `count` images, which are certain, are wrong."""
    return scores._replace(classes=np.concatenate([scores.classes[:count, ::-1], scores.classes[count:]]))


def mix_clusters(scores: Scores, count: int) -> Scores:
    """The last `count` images, which are ambiguous, lie in one cluster."""
    clusters = scores.clusters.copy()
    clusters[-count:] = clusters[-1]
    return scores._replace(clusters=clusters)


def hide_disputed(scores: Scores, count: int) -> Scores:
    """The first `count` disputed images are the least ambiguous of the ambiguous."""
    ambiguity = scores.ambiguity.copy()
    ambiguity[np.flatnonzero(VOTES[:, 0] == 2)[:count]] = 0.6
    return scores._replace(ambiguity=ambiguity)


def check(monkeypatch: pytest.MonkeyPatch, before: Scores, after: Scores) -> None:
    """Lets a file that answers with `after` follow a run that predicted `before`."""
    names = np.array([str(number) for number in range(N)])
    predictions = Predictions(names, np.full(N, "validation"), *before, VOTES, ("a", "b"))
    trained = SimpleNamespace(predictions=predictions, predictor=SimpleNamespace(ambiguity_aware=True))

    class Answering:
        def __init__(self, path: Path) -> None:
            self.first = 0

        def predict(self, images: np.ndarray) -> Scores:
            rows = slice(self.first, self.first + len(images))
            self.first = rows.stop
            return Scores(*(values[rows] for values in after))

    monkeypatch.setattr(to_onnx, "Model", Answering)
    check_quality(Path("small.onnx"), trained, np.zeros((N, 8, 8, 3), np.uint8))  # type: ignore[arg-type]


Worsen = Callable[[Scores, int], Scores]
WORSE: list[tuple[Worsen, str]] = [(fail_at_classes, "f1"), (mix_clusters, "d"), (hide_disputed, "ambiguity_auroc")]


@pytest.mark.parametrize(("worsen", "name"), WORSE)
def test_a_file_that_is_worse_in_one_figure_is_refused(
    monkeypatch: pytest.MonkeyPatch, worsen: Worsen, name: str
) -> None:
    with pytest.raises(BadModel, match=rf"^Export refused: on the validation images {name} goes from \S+ to \S+,"):
        check(monkeypatch, predict(), worsen(predict(), 40))


@pytest.mark.parametrize(("better", "name"), WORSE)
def test_a_file_that_is_better_passes(monkeypatch: pytest.MonkeyPatch, better: Worsen, name: str) -> None:
    check(monkeypatch, better(predict(), 40), predict())


def test_half_a_point_may_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    check(monkeypatch, predict(), fail_at_classes(predict(), 1))  # 1 of 400: a quarter of a point
    with pytest.raises(BadModel, match=r"0\.005 may be lost"):
        check(monkeypatch, predict(), fail_at_classes(predict(), 3))
