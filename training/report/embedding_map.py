"""t-SNE of the embedding in three panels: annotators, prediction, clusters (paper, Figure 4)."""

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from data.predictions import Predictions
from data.votes.counts import is_ambiguous
from training.report.projection import project
from web.canvas import GREY, RED, class_colours, new_figure, plain

MOST_IMAGES = 1500
MOST_NAMES = 20
"""Classes in the legend, and clusters whose number is written in."""
NAMES_A_ROW = 7


def draw_embedding_map(predictions: Predictions, ambiguity_aware: bool, seed: int = 0) -> Figure:
    """Each image a point: (a) what annotators say, (b) what the network says, (c) the clusters.

    Where the variant predicts no ambiguity, (c) shows right and wrong classes instead of clusters.

    Args:
        predictions: voted images; more than 1500 are drawn from by seed.
    """
    total = len(predictions.images)
    predictions = _sample(predictions, seed)
    points = project(predictions.embedding, seed)
    legend = _list_legend(predictions)
    foot = 0.3 + 0.23 * ceil(len(legend) / NAMES_A_ROW)
    height = 5.5 + foot
    figure = new_figure(15, height)
    left, middle, right = figure.subplots(1, 3)
    disputed = is_ambiguous(predictions.votes)
    truth, predicted = predictions.labels, predictions.classes.argmax(1)
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
    figure.legend(handles=legend, loc="lower center", ncols=NAMES_A_ROW, frameon=False, fontsize=10, columnspacing=1.2)
    shown = f"{len(points)} of {total} images" if total > len(points) else f"{total} images"
    figure.suptitle(f"Embedding by t-SNE, {shown}", size=14, weight="bold", y=0.99)
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.75 / height, bottom=foot / height, wspace=0.03)
    return figure


def _sample(predictions: Predictions, seed: int) -> Predictions:
    total = len(predictions.images)
    if total <= MOST_IMAGES:
        return predictions
    return predictions.select(np.sort(np.random.default_rng(seed).choice(total, MOST_IMAGES, replace=False)))


def _draw_classes(axes: Axes, points: np.ndarray, classes: np.ndarray, ambiguous: np.ndarray, n: int) -> None:
    colours = np.array(class_colours(n))[classes]
    x, y = points.T
    scale = _scale(len(points))
    axes.scatter(x[~ambiguous], y[~ambiguous], s=16 * scale, c=colours[~ambiguous], marker="o", linewidths=0)
    axes.scatter(x[ambiguous], y[ambiguous], s=22 * scale, c=colours[ambiguous], marker="x", linewidths=1)


def _draw_clusters(axes: Axes, points: np.ndarray, predictions: Predictions) -> None:
    """Ambiguous images in the colour of their cluster, the larger clusters with their number; the others grey."""
    certain = predictions.certain
    scale = _scale(len(points))
    axes.scatter(points[certain, 0], points[certain, 1], s=12 * scale, color=GREY, linewidths=0)
    numbers = predictions.clusters.argmax(1)
    found, sizes = np.unique(numbers[~certain], return_counts=True)
    places = {number: place for place, number in enumerate(found)}
    colours = class_colours(len(found))
    chosen = [colours[places[number]] for number in numbers[~certain]]
    if chosen:
        axes.scatter(points[~certain, 0], points[~certain, 1], s=22 * scale, c=chosen, marker="x", linewidths=1)
    _write_numbers(axes, points, np.where(certain, -1, numbers), found[np.argsort(-sizes, kind="stable")])
    axes.set_title(f"(c) clusters of ambiguous images: {len(found)}; certain grey")


def _write_numbers(axes: Axes, points: np.ndarray, numbers: np.ndarray, ordered: np.ndarray) -> None:
    """Writes each cluster's number beside its middle image, larger clusters first; none over another."""
    least = 0.04 * np.ptp(points, axis=0).max()
    taken: list[np.ndarray] = []
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "0.6", "alpha": 0.85, "lw": 0.5}
    for number in ordered[:MOST_NAMES]:
        members = points[numbers == number]
        middle = members[np.linalg.norm(members - np.median(members, axis=0), axis=1).argmin()]
        if all(np.abs(middle - other).max() > least for other in taken):
            axes.annotate(str(number), tuple(middle), (6, 6), textcoords="offset points", size=8, bbox=box)
            taken.append(middle)


def _draw_errors(axes: Axes, points: np.ndarray, wrong: np.ndarray) -> None:
    x, y = points.T
    scale = _scale(len(points))
    axes.scatter(x[~wrong], y[~wrong], s=12 * scale, color=GREY, linewidths=0)
    axes.scatter(x[wrong], y[wrong], s=16 * scale, color=RED, linewidths=0)
    axes.set_title(f"(c) wrong classes in red: {wrong.mean():.0%}")


def _scale(n_points: int) -> float:
    """Few points are drawn larger."""
    return float(np.clip(400 / n_points, 1, 4))


def _list_legend(predictions: Predictions) -> list[Line2D]:
    names = predictions.class_names
    handles = [
        Line2D([], [], color=colour, marker="s", linestyle="", label=plain(name))
        for name, colour in zip(names[:MOST_NAMES], class_colours(len(names)), strict=False)
    ]
    if len(names) > MOST_NAMES:
        handles.append(Line2D([], [], linestyle="", label=f"and {len(names) - MOST_NAMES} classes more"))
    if is_ambiguous(predictions.votes).any() or not predictions.certain.all():
        handles.append(Line2D([], [], color="black", marker="o", linestyle="", label="certain / agreed"))
        handles.append(Line2D([], [], color="black", marker="x", linestyle="", label="ambiguous / disputed"))
    return handles
