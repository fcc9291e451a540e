"""The figures of a run are those of its validation part, and under another name those of its test part."""

import numpy as np
import pytest

from tests.training.evaluate.test_metrics import make_predictions
from training.train import final_metrics


def testfinal_metrics_are_of_validation_and_test_and_of_no_training_image() -> None:
    """All validation images are right, half of the test images, none of those that were trained on."""
    parts = np.repeat(["labelled", "unlabelled", "validation", "test"], 10)
    truth = np.arange(40) % 3
    answers = np.where(parts == "validation", truth, (truth + 1) % 3)
    answers[30:35] = truth[30:35]
    predictions = make_predictions([0.0] * 40)._replace(
        parts=parts, votes=5 * np.eye(3, dtype=int)[truth], classes=np.eye(3, dtype=np.float32)[answers]
    )
    metrics = final_metrics(predictions, ambiguity_aware=False)
    assert (metrics["accuracy"], metrics["f1"], metrics["test_accuracy"]) == (1, 1, 0.5)
    assert not any(name.startswith("test_") for name in final_metrics(predictions.select(parts != "test"), False))
    assert metrics["test_f1"] == pytest.approx(0.5, abs=0.1)
