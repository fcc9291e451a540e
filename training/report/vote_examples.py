"""Example images of two classes that annotators mix up: agreed ones of either, disputed between (paper, Figure 3)."""

import numpy as np
from matplotlib.figure import Figure

from data.votes.counts import is_ambiguous, is_voted, soft_labels
from training.report.thumbnails import draw_frame, draw_vote_bar, enlarge, tile
from web.canvas import GREY, RED, Colour, class_colours, new_figure, plain

BLUE: Colour = (0.17, 0.48, 0.71)
EACH = 3
"""Images of a cell's row and rows of a cell: nine images, as in the paper."""


def rank_pairs(counts: np.ndarray, most: int = 3) -> list[tuple[int, int]]:
    """The pairs of classes that share most images' votes, most mixed up first; none where annotators agree.

    How much an image mixes two classes is the smaller of their two shares of its votes.

    Args:
        counts: (N, k) votes.
    """
    soft = soft_labels(counts)
    k = counts.shape[1]
    mixed = [
        (float(np.minimum(soft[:, first], soft[:, second]).sum()), first, second)
        for first in range(k)
        for second in range(first + 1, k)
    ]
    ranked = sorted(mixed, key=lambda entry: (-entry[0], entry[1:]))
    return [(first, second) for amount, first, second in ranked[:most] if amount > 0]


def draw_vote_examples(
    images: np.ndarray, counts: np.ndarray, class_names: tuple[str, ...], pairs: list[tuple[int, int]], seed: int = 0
) -> Figure:
    """One row a pair: images that all call one class (red), that are split between both (grey), that all call the other
    (blue).

    Args:
        images: (N, H, W, 3) uint8.
        counts: (N, k) votes.
        pairs: numbers of classes, at least one pair.
        seed: picks the images.
    """
    generator = np.random.default_rng(seed)
    height = 0.5 + 3.3 * len(pairs)
    figure = new_figure(9.6, height)
    grid = figure.subplots(len(pairs), 3, squeeze=False)
    colours = class_colours(len(class_names))
    soft, agreed = soft_labels(counts), is_voted(counts) & ~is_ambiguous(counts)
    for (first, second), row in zip(pairs, grid, strict=True):
        between = np.minimum(soft[:, first], soft[:, second])
        cells = (
            (f"{plain(class_names[first])}: all agree", agreed & (counts[:, first] > 0), RED),
            ("split between both", between > 0, GREY),
            (f"{plain(class_names[second])}: all agree", agreed & (counts[:, second] > 0), BLUE),
        )
        for (title, members, colour), axes in zip(cells, row, strict=True):
            # of the split ones those that are most so
            order = generator.permutation(np.flatnonzero(members))
            chosen = order[np.argsort(-between[order], kind="stable")][: EACH * EACH]
            shown = [
                np.concatenate([draw_frame(enlarge(images[place]), colour), draw_vote_bar(soft[place], colours)])
                for place in chosen
            ]
            axes.imshow(tile(shown, EACH, EACH))
            axes.axis("off")
            axes.set_title(f"{title}\n{len(chosen)} of {int(members.sum())}", size=9)
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.45 / height, bottom=0.01, wspace=0.05, hspace=0.22)
    return figure
