"""Small images side by side as one array: one picture draws far faster than a hundred axes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from web.canvas import Colour

SIDE = 96
"""Pixels of a thumbnail."""
GAP = 8
"""White pixels between thumbnails."""


def enlarge(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A (H, W, 3) uint8 image as (side, side, 3), padded with white where it is not square."""
    return np.asarray(ImageOps.pad(Image.fromarray(image), (side, side), Image.Resampling.BICUBIC, color="white"))


def draw_frame(thumbnail: np.ndarray, colour: Colour, width: int = 6) -> np.ndarray:
    """The thumbnail with a coloured frame over its edge."""
    framed = np.empty_like(thumbnail)
    framed[:] = np.array(colour) * 255
    framed[width:-width, width:-width] = thumbnail[width:-width, width:-width]
    return framed


def draw_vote_bar(soft: np.ndarray, colours: Sequence[Colour], width: int = SIDE, height: int = 10) -> np.ndarray:
    """A soft label (k,) as a stacked bar (height, width, 3): each class as long as its share of the votes."""
    edges = np.rint(np.cumsum(soft) * width).astype(int)
    classes = np.minimum(np.searchsorted(edges, np.arange(width), side="right"), len(soft) - 1)
    row = (np.array(colours) * 255).astype(np.uint8)[classes]
    return np.broadcast_to(row, (height, width, 3))


def tile(thumbnails: Sequence[np.ndarray], columns: int, rows: int = 1) -> np.ndarray:
    """Thumbnails of one shape on a white sheet of `rows` by `columns`, in reading order; empty places stay white."""
    height, width = thumbnails[0].shape[:2] if thumbnails else (SIDE, SIDE)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, thumbnail in enumerate(thumbnails):
        top, left = (height + GAP) * (index // columns), (width + GAP) * (index % columns)
        sheet[top : top + height, left : left + width] = thumbnail
    return sheet
