"""Mean KL from the share of all CIFAR-10H votes to soft labels estimated from a few of them.

python benchmarks/soft_labels.py --votes votes.csv [--predictions predictions.parquet] [--seeds 5] [--csv FILE]

The few votes are drawn without replacement from the real ones, so they are part of the reference. The table of votes
names no annotators: Dawid-Skene and CROWDLAB get 30 pretended ones, each vote given to one of them at random. Bias
correction has votes to correct only when proposals were shown: those answers are SIMULATED (relabel.simulate).
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.predictions import Predictions, read_predictions
from data.votes.counts import is_ambiguous, soft_labels
from data.votes.reader import count_votes, read_votes
from relabel.options import EstimateOptions
from relabel.simulate.annotators import AnnotatorModel, TimeModel, answer_image
from relabel.soft_labels import ESTIMATORS
from relabel.soft_labels.ballots import NOTHING, Ballots
from relabel.soft_labels.class_blending import mean_soft_labels
from relabel.soft_labels.estimates import with_predictions
from relabel.soft_labels.kl import mean_kl

N_VOTES = (1, 3, 5, 10)
PRETENDED = 30
"""Pretended annotators."""
CALIBRATION = 20
"""Images a class whose votes all are known, for the second kind of blending; they are left out of the measurement."""
PROPOSALS_RIGHT = 0.85
"""Share of simulated proposals that are the majority class."""


class Result(NamedTuple):
    """One estimate of one draw."""

    votes: int
    estimate: str
    seed: int
    kl: float
    kl_ambiguous: float
    """Over the images whose majority has less than 60 % of all votes."""


def main() -> int:
    """Prints mean and standard deviation over the seeds, and writes the single results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--votes", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, help="of a run; only its images of part validation are measured")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    predictions = read_predictions(arguments.predictions).part("validation") if arguments.predictions else None
    table = read_votes(arguments.votes).rows
    if predictions:
        table = table[table["image"].isin(predictions.images)]
    images = tuple(sorted(table["image"].unique()))
    votes = count_votes(table, images)
    results = []
    for seed in range(arguments.seeds):
        for n in N_VOTES:
            results += measure(votes.counts, images, votes.classes, n, seed, predictions)
    frame = pd.DataFrame(results)
    if arguments.csv:
        frame.to_csv(arguments.csv, index=False)
    hard = _is_hard(votes.counts)
    print(
        f"{len(images)} images, {hard.sum()} with a majority below 60 %, {is_ambiguous(votes.counts).mean():.0%} with"
    )
    print(f"any disagreement; {arguments.seeds} seeds; {CALIBRATION} images a class set apart for calibration\n")
    for column, title in (("kl", "mean KL"), ("kl_ambiguous", "mean KL, majority below 60 %")):
        print(f"{title}:\n{_format(frame, column)}\n")
    return 0


def measure(
    counts: np.ndarray,
    images: tuple[str, ...],
    classes: tuple[str, ...],
    n: int,
    seed: int,
    predictions: Predictions | None,
) -> list[Result]:
    """All estimates from n votes an image."""
    generator = np.random.default_rng([seed, n])
    reference = soft_labels(counts)
    order = generator.permutation(len(counts))
    majority = reference.argmax(1)
    apart = np.concatenate([order[majority[order] == number][:CALIBRATION] for number in range(len(classes))])
    means = mean_soft_labels(reference[apart])
    measured = np.setdiff1d(np.arange(len(counts)), apart)
    free = Ballots(images, classes, *draw_votes(counts, n, generator), np.full(len(counts) * n, NOTHING))
    if predictions:
        free = with_predictions(free, predictions)
    estimates = {"share": (free, "share", 0.1), "blending": (free, "blending", 0.1)}
    estimates["blending, calibrated"] = (free._replace(blend_with=means), "blending", 0.1)
    estimates["dawid_skene, pretended names"] = (free, "dawid_skene", 0.1)
    if predictions and n > 1:
        estimates["crowdlab, pretended names"] = (free, "crowdlab", 0.1)
    for d in (0.0, 0.26, 0.4):
        proposed = show_proposals(reference, free, d, generator)
        calibrated = proposed._replace(blend_with=means)
        name = f"proposals d={d} (simulation)"
        estimates |= {
            f"{name}: share": (proposed, "share", d),
            f"{name}: blending, calibrated": (calibrated, "blending", d),
            f"{name}: correction d=.1": (proposed, "bias_correction", 0.1),
            f"{name}: correction true d": (proposed, "bias_correction", d),
            f"{name}: both d=.1, calibrated": (calibrated, "bias_correction_blending", 0.1),
        }
    hard = measured[_is_hard(counts)[measured]]
    results = []
    for name, (ballots, estimator, bias) in estimates.items():
        soft = ESTIMATORS[estimator](ballots, EstimateOptions(bias=bias))
        whole = mean_kl(reference[measured], soft[measured])
        results.append(Result(n, name, seed, whole, mean_kl(reference[hard], soft[hard])))
    return results


def draw_votes(counts: np.ndarray, n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N n,) image, label and pretended annotator of n votes an image, drawn without replacement."""
    numbers = np.arange(counts.shape[1])
    label = np.concatenate([generator.choice(np.repeat(numbers, row), n, replace=False) for row in counts])
    annotator = np.concatenate([generator.choice(PRETENDED, n, replace=False) for _ in counts])
    return np.repeat(np.arange(len(counts)), n), label, annotator


def show_proposals(reference: np.ndarray, free: Ballots, d: float, generator: np.random.Generator) -> Ballots:
    """The same ballots answered by simulated annotators who see a proposal, which is right on 85 %."""
    n, k = reference.shape
    right = reference.argmax(1)
    other = (right + generator.integers(1, k, n)) % k
    shown = np.where(generator.random(n) < PROPOSALS_RIGHT, right, other)[free.image]
    model, cost = AnnotatorModel(d=d), TimeModel()
    pairs = zip(free.image, shown, strict=True)
    label = [answer_image(reference[image], proposal, generator, model, cost).label for image, proposal in pairs]
    return free._replace(label=np.array(label), shown=shown)


def _is_hard(counts: np.ndarray) -> np.ndarray:
    return soft_labels(counts).max(1) < 0.6


def _format(frame: pd.DataFrame, column: str) -> str:
    groups = frame.groupby(["estimate", "votes"], sort=False)[column]
    texts = groups.agg(lambda values: f"{values.mean():.3f} ± {values.std(ddof=0):.3f}")
    wide = texts.unstack("votes", fill_value="-").reindex(frame["estimate"].unique())
    lines = ["| estimate | " + " | ".join(f"n = {n}" for n in wide.columns) + " |"]
    lines.append("| --- |" + " ---: |" * len(wide.columns))
    return "\n".join(
        lines + [f"| {name} | " + " | ".join(row) + " |" for name, row in zip(wide.index, wide.to_numpy(), strict=True)]
    )


if __name__ == "__main__":
    sys.exit(main())
