"""Predictions to make proposals of, without a training: digits and real votes in place of a network."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from data.predictions import Predictions
from data.votes.reader import count_votes


def digits_run(n: int = 400, voted: int = 200) -> Predictions:
    """The embedded digits: p_n of a logistic regression on few of them, ambiguous where it is unsure."""
    pixels, labels = (values[:n] for values in load_digits(return_X_y=True))
    model = LogisticRegression(max_iter=2000).fit(pixels[:60], labels[:60])
    classes = model.predict_proba(pixels)
    votes = 2 * np.eye(10, dtype=np.int64)[labels]
    votes[voted:] = 0
    parts = np.array(["labelled"] * 60 + ["unlabelled"] * (n - 100) + ["validation"] * 40)
    votes[-40:] = 2 * np.eye(10, dtype=np.int64)[labels[-40:]]
    names = [f"digit_{row:04d}" for row in range(n)]
    return _assemble(names, parts, classes, 1 - classes.max(1), pixels, votes, [str(digit) for digit in range(10)])


def cifar_run(folder: Path, n: int = 2000) -> Predictions:
    """CIFAR-10H: real images as PCA features, real votes, p_n of a logistic regression on a fifth of the images."""
    table = pd.read_csv(folder / "votes.csv")
    names = sorted(table["image"].unique())[:n]
    votes = count_votes(table[table["image"].isin(names)], names)
    with zipfile.ZipFile(folder / "images.zip") as archive:
        pixels = np.stack(
            [np.asarray(Image.open(BytesIO(archive.read(name))).resize((16, 16))).ravel() for name in names]
        )
    features = PCA(40, svd_solver="full").fit_transform(pixels / 255.0)
    n_labelled = n // 5
    labels = votes.counts[:n_labelled].argmax(1)
    classes = LogisticRegression(max_iter=2000).fit(features[:n_labelled], labels).predict_proba(features)
    parts = np.array(["labelled"] * n_labelled + ["unlabelled"] * (n - 2 * n_labelled) + ["validation"] * n_labelled)
    confidence = classes.max(1)
    ambiguity = (confidence < np.median(confidence)) * 1.0
    return _assemble(names, parts, classes, ambiguity, features, votes.counts, votes.classes)


def _assemble(
    names: Sequence[str],
    parts: np.ndarray,
    classes: np.ndarray,
    ambiguity: np.ndarray,
    embedding: np.ndarray,
    votes: np.ndarray,
    class_names: Sequence[str],
) -> Predictions:
    """One cluster a class: p_o is p_n."""
    values = [matrix.astype(np.float32) for matrix in (classes, classes, ambiguity, embedding)]
    return Predictions(np.array(names), parts, *values, votes, tuple(class_names))
