"""Contact sheets: what each cluster holds, its most typical images first, with the votes of the annotators."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.clusters import Cluster, list_class_groups, list_clusters
from data.predictions import Predictions
from data.votes.counts import soft_labels
from training.evaluate.metrics import inner_distance
from training.report.thumbnails import draw_vote_bar, enlarge, tile
from web.canvas import GREY, Colour, class_colours, new_figure, plain

WIDTH = 13.0
ROW = 1.2
"""Inches of a sheet's width and of one cluster's height."""
HEADER = 0.65


def draw_contact_sheets(
    predictions: Predictions,
    images: np.ndarray,
    clusters: Sequence[Cluster],
    heading: str,
    *,
    per_page: int = 8,
    per_cluster: int = 9,
    max_pages: int = 6,
) -> list[Figure]:
    """One row a cluster: caption, size and d, votes of the whole cluster, thumbnails with each image's own votes.

    Args:
        predictions: N voted images.
        images: (N, H, W, 3) uint8 in the same order.
        clusters: in the order to show them; no clusters give no pages.
        heading: over each page.
        max_pages: clusters beyond are counted on the last page, not shown.
    """
    pages = [clusters[first : first + per_page] for first in range(0, len(clusters), per_page)]
    colours = class_colours(len(predictions.class_names))
    figures = []
    for number, page in enumerate(pages[:max_pages], 1):
        height = HEADER + ROW * len(page)
        figure = new_figure(WIDTH, height)
        title = heading if len(pages) == 1 else f"{heading}, page {number} of {len(pages)}"
        if number == max_pages < len(pages):
            title += f"; {len(clusters) - per_page * max_pages} smaller ones are not shown"
        figure.text(0.01, 1 - 0.12 / height, title, size=14, weight="bold", va="top")
        figure.text(0.01, 1 - 0.4 / height, _EXPLANATION, size=9, va="top", color="0.35")
        for row, cluster in enumerate(page):
            bottom = (height - HEADER - ROW * (row + 1) + 0.1) / height
            _draw_row(figure, bottom, (ROW - 0.14) / height, predictions, images, cluster, colours, per_cluster)
        figures.append(figure)
    return figures


_EXPLANATION = (
    "Most typical images first; the bar below an image shows its own votes, in the colours of the classes. "
    "d: mean distance of the votes to the cluster's mean, 0 = all alike."
)


def draw_cluster_sheets(predictions: Predictions, images: np.ndarray) -> list[Figure]:
    """Pages of the clusters of images that were predicted ambiguous, largest first; none where none was."""
    clusters = list_clusters(predictions)
    count = sum(len(cluster.members) for cluster in clusters)
    heading = f"{count} images predicted ambiguous, clusters: {len(clusters)}"
    return draw_contact_sheets(predictions, images, clusters, heading)


def draw_class_sheets(predictions: Predictions, images: np.ndarray) -> list[Figure]:
    """Pages of the predicted classes, over all images."""
    groups = list_class_groups(predictions)
    heading = f"{len(predictions.images)} images by predicted class (this variant predicts no ambiguity)"
    return draw_contact_sheets(predictions, images, groups, heading)


def _draw_row(
    figure: Figure,
    bottom: float,
    height: float,
    predictions: Predictions,
    images: np.ndarray,
    cluster: Cluster,
    colours: Sequence[Colour],
    per_cluster: int,
) -> None:
    soft = soft_labels(predictions.votes[cluster.members])
    d = inner_distance(predictions.votes[cluster.members], np.zeros(len(cluster.members)))
    caption = fill(plain(cluster.caption, 48), 24)
    figure.text(0.01, bottom + height, caption, size=11, weight="bold", va="top")
    top = bottom + height * (0.76 - 0.2 * caption.count("\n"))
    text = f"no. {cluster.number}:  {len(cluster.members)} image(s),  d = {d:.2f}"
    figure.text(0.01, top, text, size=9.5, va="top", color="0.3")
    names = predictions.class_names
    _draw_shares(figure.add_axes((0.27, bottom, 0.085, height)), soft.mean(0), names, colours)
    shown = [
        np.concatenate([enlarge(images[row]), draw_vote_bar(votes, colours)])
        for row, votes in zip(cluster.members[:per_cluster], soft, strict=False)
    ]
    strip = figure.add_axes((0.4, bottom, 0.6, height))
    strip.imshow(tile(shown, per_cluster))
    strip.set_anchor("W")
    strip.axis("off")


def _draw_shares(axes: Axes, share: np.ndarray, names: Sequence[str], colours: Sequence[Colour], most: int = 4) -> None:
    """The classes with most votes as labelled bars; the rest together in grey."""
    top = (-share).argsort(kind="stable")[:most]
    bars = [(plain(names[index], 14), share[index], colours[index]) for index in top if share[index] >= 0.005]
    rest = 1 - sum(value for _, value, _ in bars)
    if rest >= 0.005:
        bars = [*bars[: most - 1], ("others", rest + sum(value for _, value, _ in bars[most - 1 :]), GREY)]
    for place, (name, value, colour) in enumerate(bars):
        axes.barh(place, value, height=0.8, color=colour)
        axes.text(-0.04, place, name, size=9, ha="right", va="center")
        axes.text(value + 0.04, place, f"{value:.0%}", size=9, va="center")
    axes.set_xlim(0, 1)
    axes.set_ylim(most - 0.5, -0.5)
    axes.axis("off")
