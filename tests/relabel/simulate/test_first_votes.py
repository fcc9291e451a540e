"""The scenario of the demo: what the lab has at the start, and what it gained."""

import numpy as np
import pandas as pd
import pytest

from data.predictions import Predictions
from data.verdicts import Verdict, to_table
from relabel.simulate.first_votes import draw_first_votes
from relabel.simulate.gain import label_gain
from training.evaluate.gain import model_gain

REAL = pd.DataFrame(
    [("a", "cat", 3), ("a", "dog", 2), ("b", "dog", 5), ("c", "cat", 1), ("d", "cat", 4), ("d", "dog", 1)],
    columns=["image", "label", "votes"],
)


def test_first_votes_are_some_of_the_real_ones() -> None:
    drawn = draw_first_votes(REAL, 3, 3, np.random.default_rng(0))
    assert drawn["image"].nunique() == 3
    given = drawn.groupby(["image", "label"]).size()
    there = REAL.set_index(["image", "label"])["votes"]
    assert (given <= there.loc[given.index]).all()
    sizes = drawn.groupby("image").size()
    assert (sizes == sizes.index.map(lambda image: 1 if image == "c" else 3)).all()


def test_equal_seeds_draw_equal_first_votes() -> None:
    first, second = (draw_first_votes(REAL, 2, 2, np.random.default_rng(7)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def verdicts(*labels: tuple[str, str]) -> pd.DataFrame:
    at = "2026-11-24T10:00:00+00:00"
    return to_table(
        [
            Verdict(image, "anna", label, 1.0, at, 1, "review", "image", "", "control", "", "r", "manual")
            for image, label in labels
        ]
    )


def test_label_gain_counts_only_answered_images_and_knows_nothing_of_those_without_votes() -> None:
    before = pd.DataFrame({"image": ["b", "c"], "label": ["cat", "cat"]})
    after = pd.DataFrame({"image": ["a", "b", "b", "b", "c"], "label": ["cat", "cat", "dog", "dog", "cat"]})
    gain = {
        name: (old, new) for name, old, new in label_gain(before, after, verdicts(("a", "cat"), ("b", "dog")), REAL)
    }
    assert gain["images with a vote, share"] == (0.5, 1.0)
    assert gain["majority right, share of the images"] == (0.0, 1.0)
    # a: uniform against 0.6 0.4; b: 1 0 against 0 1, clipped at 1e-5
    uniform = 0.6 * np.log(0.6 / 0.5) + 0.4 * np.log(0.4 / 0.5)
    opposite = (1 - 2e-5) * np.log((1 - 1e-5) / 1e-5)
    assert gain["KL to all real votes, nats"][0] == pytest.approx((uniform + opposite) / 2, rel=1e-6)
    assert gain["KL to all real votes, nats"][1] < gain["KL to all real votes, nats"][0]


def predictions(right: bool) -> Predictions:
    """Of two images, a cat and a dog; all certain."""
    classes = np.array([[0.9, 0.1], [0.1, 0.9]])
    return Predictions(
        np.array(["a", "b"]),
        np.array(["test", "test"]),
        classes if right else 1 - classes,
        np.full((2, 2), 0.5),
        np.zeros(2),
        np.zeros((2, 3)),
        np.array([[3, 2], [0, 5]]),
        ("cat", "dog"),
    )


def test_model_gain_measures_both_runs() -> None:
    gain = {name: (before, after) for name, before, after in model_gain(predictions(False), predictions(True))}
    assert gain["accuracy, 2 images never seen"] == (0.0, 1.0)
    assert gain["f1, 2 images never seen"] == (0.0, 1.0)
