"""t-SNE of the embedding in three panels: annotators, prediction, clusters (paper, Figure 4)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.manifold import TSNE

from training.data.votes import is_ambiguous, majority
from training.evaluate.predictions import Predictions
from training.report.canvas import GREY, RED, class_colours, new_figure, plain

MOST_IMAGES = 1500
LEAST_IMAGES = 5
"""Fewer points than this have no neighbourhood to preserve: they are shown by their principal components."""
MOST_NAMES = 20


def draw_embedding_map(predictions: Predictions, ambiguity_aware: bool, seed: int = 0) -> Figure:
    """Each image a point: (a) what annotators say, (b) what the network says, (c) the clusters.

    Where the variant predicts no ambiguity, (c) shows right and wrong classes instead of clusters.

    Args:
        predictions: voted images; more than 1500 are drawn from by seed.
    """
    total = len(predictions.images)
    if total > MOST_IMAGES:
        rows = np.sort(np.random.default_rng(seed).choice(total, MOST_IMAGES, replace=False))
        predictions = predictions.select(rows)
    points = project(predictions.embedding, seed)
    figure = new_figure(15, 6.4)
    left, middle, right = figure.subplots(1, 3)
    disputed = is_ambiguous(predictions.votes)
    truth, predicted = majority(predictions.votes), predictions.classes.argmax(1)
    _draw_classes(left, points, truth, disputed, len(predictions.class_names))
    left.set_title(f"(a) annotators: {disputed.mean():.0%} disputed")
    _draw_classes(middle, points, predicted, ~predictions.certain, len(predictions.class_names))
    middle.set_title(
        f"(b) network: {(~predictions.certain).mean():.0%} ambiguous" if ambiguity_aware else "(b) network: class"
    )
    if ambiguity_aware:
        _draw_clusters(right, points, predictions)
    else:
        _draw_errors(right, points, truth != predicted)
    for axes in (left, middle, right):
        axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    _draw_legend(figure, predictions.class_names, bool(disputed.any() or not predictions.certain.all()))
    shown = f"{len(points)} of {total} images" if total > len(points) else f"{total} images"
    figure.suptitle(f"t-SNE of the embedding, {shown}", size=14, weight="bold", y=0.99)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.88, bottom=0.14, wspace=0.03)
    return figure


def project(embedding: np.ndarray, seed: int) -> np.ndarray:
    """(N, F) features as (N, 2) points: t-SNE on the first 50 principal components, seeded.

    Fewer than five different images are shown by their first two principal components.
    """
    centred = embedding.astype(np.float64) - embedding.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    components = (left * sizes)[:, :50]
    start = np.pad(components, ((0, 0), (0, 2)))[:, :2]
    n = len(np.unique(embedding, axis=0))
    if n < LEAST_IMAGES:
        return start
    # scale as scikit-learn does for init="pca": a far larger start never unfolds
    start = start / start[:, 0].std() * 1e-4
    perplexity = min(30.0, (len(embedding) - 1) / 3)
    points: np.ndarray = TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(components)
    return points


def _draw_classes(axes: Axes, points: np.ndarray, classes: np.ndarray, ambiguous: np.ndarray, n: int) -> None:
    colours = np.array(class_colours(n))[classes]
    x, y = points.T
    axes.scatter(x[~ambiguous], y[~ambiguous], s=16, c=colours[~ambiguous], marker="o", linewidths=0)
    axes.scatter(x[ambiguous], y[ambiguous], s=22, c=colours[ambiguous], marker="x", linewidths=1)


def _draw_clusters(axes: Axes, points: np.ndarray, predictions: Predictions) -> None:
    """Ambiguous images in the colour of their cluster, the larger clusters with their number; the others grey."""
    certain = predictions.certain
    axes.scatter(points[certain, 0], points[certain, 1], s=12, color=GREY, linewidths=0)
    numbers = predictions.clusters.argmax(1)
    found, sizes = np.unique(numbers[~certain], return_counts=True)
    places = {number: place for place, number in enumerate(found)}
    colours = class_colours(len(found))
    chosen = [colours[places[number]] for number in numbers[~certain]]
    if chosen:
        axes.scatter(points[~certain, 0], points[~certain, 1], s=22, c=chosen, marker="x", linewidths=1)
    for number in found[np.argsort(-sizes, kind="stable")[:MOST_NAMES]]:
        x, y = np.median(points[~certain & (numbers == number)], axis=0)
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "0.6", "alpha": 0.85, "lw": 0.5}
        axes.text(x, y, str(number), size=8, ha="center", va="center", bbox=box)
    axes.set_title(f"(c) clusters of ambiguous images: {len(found)}; certain grey")


def _draw_errors(axes: Axes, points: np.ndarray, wrong: np.ndarray) -> None:
    x, y = points.T
    axes.scatter(x[~wrong], y[~wrong], s=12, color=GREY, linewidths=0)
    axes.scatter(x[wrong], y[wrong], s=16, color=RED, linewidths=0)
    axes.set_title(f"(c) wrong classes in red: {wrong.mean():.0%}")


def _draw_legend(figure: Figure, names: tuple[str, ...], with_ambiguous: bool) -> None:
    handles = [
        Line2D([], [], color=colour, marker="s", linestyle="", label=plain(name))
        for name, colour in zip(names[:MOST_NAMES], class_colours(len(names)), strict=False)
    ]
    if len(names) > MOST_NAMES:
        handles.append(Line2D([], [], linestyle="", label=f"and {len(names) - MOST_NAMES} classes more"))
    if with_ambiguous:
        handles.append(Line2D([], [], color="black", marker="o", linestyle="", label="certain / agreed"))
        handles.append(Line2D([], [], color="black", marker="x", linestyle="", label="ambiguous / disputed"))
    figure.legend(handles=handles, loc="lower center", ncols=7, frameon=False, fontsize=10, columnspacing=1.2)
