"""Confusion matrix: which class is taken for which."""

import numpy as np
from matplotlib.figure import Figure

from data.predictions import Predictions
from web.canvas import new_figure, plain

MOST_COUNTS = 30
"""Beyond this many classes a count no longer fits its field."""


def count_confusions(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """(k, k) images of class row that were classified as column."""
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def draw_confusion(predictions: Predictions, heading: str) -> Figure:
    """Majority vote in rows, predicted class in columns: counts written in, coloured by their share of the row."""
    names = [plain(name, 18) for name in predictions.class_names]
    k = len(names)
    truth, predicted = predictions.labels, predictions.classes.argmax(1)
    counts = count_confusions(truth, predicted, k)
    sizes = counts.sum(1)
    share = counts / np.maximum(sizes, 1)[:, None]
    side = max(2.2, min(0.5, 12 / k) * k)
    figure = new_figure(side + 3.4, side + 2.2)
    axes = figure.add_axes((2.0 / (side + 3.4), 1.4 / (side + 2.2), side / (side + 3.4), side / (side + 2.2)))
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    size = 9 if k <= 20 else 6
    axes.set_xticks(range(k), names, rotation=45 if k <= 4 else 90, ha="right" if k <= 4 else "center", size=size)
    axes.set_yticks(range(k), [f"{name} ({n})" for name, n in zip(names, sizes, strict=True)], size=size)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("majority vote (images)")
    if k <= MOST_COUNTS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, counts[row, column], size=size, ha="center", va="center", color=colour)
    bar = figure.colorbar(picture, ax=axes, fraction=0.04, pad=0.03)
    bar.set_label("share of the row")
    axes.set_title(f"{heading}\n{len(truth)} images, {np.trace(counts) / max(len(truth), 1):.1%} right", size=11)
    return figure
