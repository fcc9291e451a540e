"""The figures of one run, each with its name and what it shows."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from data.errors import InputError
from data.predictions import Predictions
from training.report.ambiguity_histogram import draw_ambiguity_histogram
from training.report.confidence_grid import draw_confidence_grid
from training.report.confusion import draw_confusion
from training.report.contact_sheets import draw_class_sheets, draw_cluster_sheets
from training.report.embedding_map import draw_embedding_map

CAPTIONS = {
    "ambiguity_histogram": "Predicted ambiguity of images whose annotators agree and of those who disagree.",
    "confusion": "Confusion matrix of the class output over all images.",
    "confusion_certain": "Confusion matrix over the images predicted certain, whose class is proposed.",
    "confidence_grid": "Random images by confidence and predicted ambiguity; wrong classes are framed red.",
    "embedding_map": "t-SNE of the embedding: annotators, network, and clusters or errors.",
    "clusters": "Clusters of the images predicted ambiguous, most typical first, with the annotators' votes.",
    "classes": "Predicted classes, most typical images first, with the annotators' votes.",
    "scatter": "F1 on certain images against inner distance d, one point a run.",
}


def run_figures(
    predictions: Predictions, images: np.ndarray, ambiguity_aware: bool, seed: int = 0
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure of all that is defined for the run.

    Args:
        predictions: N voted images of one part, N at least 1.
        images: (N, H, W, 3) uint8 in the same order.
        ambiguity_aware: False for variants without p_a, as in `evaluate`: no histogram, classes in place of clusters.
        seed: of the random picks and t-SNE.
    """
    if not len(predictions.images) or not predictions.votes.sum(1).all():
        raise InputError("Figures need images with votes: select a part by Predictions.part, and one that has images.")
    assert len(images) == len(predictions.images), "images and predictions in the same order"
    if ambiguity_aware:
        yield "ambiguity_histogram", draw_ambiguity_histogram(predictions)
    yield "confusion", draw_confusion(predictions, "Class output, all images")
    certain = predictions.certain
    if certain.any() and not certain.all():
        yield "confusion_certain", draw_confusion(predictions.select(certain), "Class output, images predicted certain")
    yield "confidence_grid", draw_confidence_grid(predictions, images, ambiguity_aware, seed)
    yield "embedding_map", draw_embedding_map(predictions, ambiguity_aware, seed)
    name, draw = ("clusters", draw_cluster_sheets) if ambiguity_aware else ("classes", draw_class_sheets)
    for number, page in enumerate(draw(predictions, images), 1):
        yield f"{name}_{number}", page


def explain(name: str) -> str:
    """What a figure of `run_figures` shows, for captions and alternative texts."""
    stem, _, number = name.rpartition("_")
    return f"{CAPTIONS[stem]} Page {number}." if number.isdigit() else CAPTIONS[name]
