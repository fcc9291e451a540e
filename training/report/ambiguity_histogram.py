"""Histogram of the predicted ambiguity: does it tell disputed images from agreed ones?"""

import numpy as np
from matplotlib.figure import Figure

from data.certain import CERTAIN_BELOW
from data.predictions import Predictions
from data.votes.counts import is_ambiguous
from training.evaluate.metrics import trust_metrics
from web.canvas import new_figure

BINS = [index / 25 for index in range(26)]


def draw_ambiguity_histogram(predictions: Predictions) -> Figure:
    """p_a of images whose annotators agree and of those who disagree, each as shares of its own group.

    The AUROC stands in the title where both groups have images.
    """
    disputed = is_ambiguous(predictions.votes)
    figure = new_figure(7.5, 4.4)
    axes = figure.add_axes((0.1, 0.13, 0.87, 0.76))
    for members, name, colour in ((~disputed, "agree", "#1f77b4"), (disputed, "disagree", "#d95f02")):
        values = predictions.ambiguity[members]
        if len(values):
            weights = np.full(len(values), 100 / len(values))
            label = f"annotators {name} ({len(values)} images)"
            axes.hist(values, BINS, weights=weights, color=colour, alpha=0.35)
            axes.hist(values, BINS, weights=weights, color=colour, histtype="step", linewidth=1.8, label=label)
    axes.axvline(CERTAIN_BELOW, color="0.3", linestyle="--", linewidth=1)
    axes.text(CERTAIN_BELOW - 0.01, 0.99, "certain", ha="right", va="top", transform=axes.get_xaxis_transform())
    axes.text(CERTAIN_BELOW + 0.01, 0.99, "ambiguous", ha="left", va="top", transform=axes.get_xaxis_transform())
    axes.set_xlim(0, 1)
    axes.margins(y=0.15)
    axes.set_xlabel("predicted ambiguity p_a")
    axes.set_ylabel("share of the group in percent")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.92))
    auroc = dict(trust_metrics(predictions.ambiguity, predictions.votes)).get("ambiguity_auroc")
    verdict = f"AUROC {auroc:.3f} (0.5 is guessing)" if auroc is not None else "AUROC undefined: one group is empty"
    axes.set_title(f"Predicted ambiguity and the annotators: {verdict}", size=11)
    return figure
