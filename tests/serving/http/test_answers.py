"""Scores as answers: the decision is that of training, and one that a client can check."""

import numpy as np

from data.predictions import Predictions
from serving.http.answers import answer
from serving.model.scores import decide, to_scores
from serving.model.session import Scores
from tests.serving.running import CARD

HALF = np.float32(0.5)
NEAR = np.array([0.0, 0.49999958, np.nextafter(HALF, 0), HALF, np.nextafter(HALF, 1), 1.0], np.float32)
"""p_a at and beside the limit; in six digits the middle four are all 0.5."""


def predict(ambiguity: np.ndarray) -> Scores:
    """Scores of as many images with this p_a."""
    classes = np.full((len(ambiguity), 3), 1 / 3, np.float32)
    return Scores(classes, np.full((len(ambiguity), 6), 1 / 6, np.float32), ambiguity, np.zeros((len(ambiguity), 2)))


def test_the_service_decides_as_training_does_at_the_limit() -> None:
    decisions = [decide(score) for score in to_scores(predict(NEAR))]
    assert decisions == ["class", "class", "class", "cluster", "cluster", "cluster"]
    names, votes = np.array([str(place) for place in range(len(NEAR))]), np.ones((len(NEAR), 3), int)
    run = Predictions(names, names, *predict(NEAR), votes, CARD.classes)
    assert run.certain.tolist() == [decision == "class" for decision in decisions]


def test_the_ambiguity_that_a_client_reads_gives_the_decision_that_it_reads() -> None:
    for score in to_scores(predict(NEAR)):
        told = answer("a.png", score, CARD, "1")
        assert told["decision"] == ("class" if float(str(told["ambiguity"])) < 0.5 else "cluster")
