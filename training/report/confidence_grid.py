"""Random images by confidence and ambiguity: where the class output can be trusted (paper, Figure 5)."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.predictions import Predictions
from training.report.thumbnails import GAP, SIDE, draw_frame, enlarge, tile
from web.canvas import RED, new_figure, plain

CONFIDENT = 0.9
"""Least max p_n of a confident image; the paper names no number."""
UNSURE = (0.4, 0.6)
"""p_a between which the network is unsure whether an image is ambiguous (paper, section 4.4)."""
COLUMNS, ROWS = 3, 2
"""Images of one cell."""


class Band(NamedTuple):
    """One row of the grid."""

    label: str
    members: np.ndarray
    """(N,) mask."""


def list_bands(predictions: Predictions, ambiguity_aware: bool) -> list[Band]:
    """Splits the images: confident and certain, confident and ambiguous, the rest; each image is in one band."""
    confident = predictions.classes.max(1) >= CONFIDENT
    p_a = predictions.ambiguity
    if not ambiguity_aware:
        return [
            Band(f"confident\nmax p_n ≥ {CONFIDENT}", confident),
            Band(f"not confident\nmax p_n < {CONFIDENT}", ~confident),
        ]
    low, high = UNSURE
    certain, ambiguous = confident & (p_a <= low), confident & (p_a >= high)
    return [
        Band(f"confident, certain\nmax p_n ≥ {CONFIDENT}\np_a ≤ {low}", certain),
        Band(f"confident,\nbut ambiguous\nmax p_n ≥ {CONFIDENT}\np_a ≥ {high}", ambiguous),
        Band(f"not confident,\nor unsure\nmax p_n < {CONFIDENT}\nor {low} < p_a < {high}", ~(certain | ambiguous)),
    ]


def draw_confidence_grid(
    predictions: Predictions, images: np.ndarray, ambiguity_aware: bool, seed: int = 0, most_classes: int = 5
) -> Figure:
    """Rows are bands of confidence and ambiguity, columns true classes; wrong classifications are framed red.

    Args:
        predictions: N voted images.
        images: (N, H, W, 3) uint8 in the same order.
        seed: picks the images, and among the classes that fill most bands the classes.
    """
    generator = np.random.default_rng(seed)
    bands = list_bands(predictions, ambiguity_aware)
    truth = predictions.labels
    picked = pick_classes(truth, bands, most_classes, generator)
    width, height = 1.7 + 2.35 * len(picked), 0.8 + 1.85 * len(bands)
    figure = new_figure(width, height)
    grid = figure.subplots(len(bands), len(picked), squeeze=False)
    for band, row in zip(bands, grid, strict=True):
        wrong = (predictions.classes.argmax(1) != truth)[band.members]
        note = f"\n\n{band.members.sum()} images" + (f"\n{wrong.mean():.0%} wrong" if wrong.size else "")
        row[0].text(-0.12, 0.5, band.label + note, size=9, ha="right", va="center", transform=row[0].transAxes)
        for number, axes in zip(picked, row, strict=True):
            members = np.flatnonzero(band.members & (truth == number))
            chosen = generator.permutation(members)[: COLUMNS * ROWS]
            _draw_cell(axes, predictions, images, chosen, int(number), len(members))
    for number, axes in zip(picked, grid[0], strict=True):
        axes.set_title(plain(predictions.class_names[number]), size=11, weight="bold")
    figure.suptitle("Random images of each class by majority vote; red: classified wrong, as named", size=11)
    figure.subplots_adjust(left=1.7 / width, right=0.995, top=1 - 0.75 / height, bottom=0.02, wspace=0.06, hspace=0.16)
    return figure


def pick_classes(truth: np.ndarray, bands: list[Band], most: int, generator: np.random.Generator) -> np.ndarray:
    """Up to `most` classes that fill most bands, drawn where that leaves a choice; ascending."""
    present = generator.permutation(np.unique(truth))
    filled = np.array([sum((band.members & (truth == number)).any() for band in bands) for number in present])
    picked: np.ndarray = np.sort(present[np.argsort(-filled, kind="stable")[:most]])
    return picked


def _draw_cell(
    axes: Axes, predictions: Predictions, images: np.ndarray, chosen: np.ndarray, truth: int, total: int
) -> None:
    predicted = predictions.classes[chosen].argmax(1)
    shown = [
        draw_frame(enlarge(images[row]), RED) if guess != truth else enlarge(images[row])
        for row, guess in zip(chosen, predicted, strict=True)
    ]
    axes.imshow(tile(shown, COLUMNS, ROWS))
    axes.axis("off")
    for place in np.flatnonzero(predicted != truth):
        x = (SIDE + GAP) * (place % COLUMNS) + SIDE / 2
        y = (SIDE + GAP) * (place // COLUMNS) + SIDE - 4
        name = plain(predictions.class_names[predicted[place]], 11)
        box = {"boxstyle": "square,pad=0.15", "fc": RED, "ec": "none"}
        axes.text(float(x), float(y), name, size=7, color="white", ha="center", va="bottom", bbox=box)
    text = f"{len(chosen)} of {total}" if total else "no such image"
    axes.text(0.5, -0.02, text, size=8, color="0.35", ha="center", va="top", transform=axes.transAxes)
