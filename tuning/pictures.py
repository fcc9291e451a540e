"""Pictures of a trial for the dashboard, few and small: how sure the ambiguity is, and what the groups hold."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.predictions import Predictions
from training.report.ambiguity_histogram import draw_ambiguity_histogram
from training.report.contact_sheets import draw_class_sheets, draw_cluster_sheets
from web.canvas import draw_png

DPI = 70
"""The dashboard shows pictures at half the width of a screen."""


def draw_pictures(
    predictions: Predictions, images: np.ndarray, ambiguity_aware: bool, folder: Path
) -> Iterator[tuple[str, Path]]:
    """Writes PNG files into the folder, and yields what each shows and its path.

    Args:
        predictions: N voted images.
        images: (N, H, W, 3) uint8 in the same order.
        ambiguity_aware: False for variants without p_a: no histogram, classes in place of clusters.
    """
    if ambiguity_aware:
        path = folder / "ambiguity_histogram.png"
        path.write_bytes(draw_png(draw_ambiguity_histogram(predictions), DPI))
        yield "Predicted ambiguity", path
    title, draw = ("Clusters", draw_cluster_sheets) if ambiguity_aware else ("Classes", draw_class_sheets)
    for page in draw(predictions, images)[:1]:
        path = folder / f"{title.lower()}.png"
        path.write_bytes(draw_png(page, DPI))
        yield title, path
