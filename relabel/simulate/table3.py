"""A simulation of the paper's Table 3: no proposals, SSL proposals and DC3 proposals on the same images."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError
from data.proposals import ProposalFolder
from data.verdicts import Arm, votes_of
from relabel.agreement.coefficients import cohen_kappa, count_pair
from relabel.simulate.play import PlayOptions, play, read_truth
from relabel.soft_labels.kl import mean_kl

TITLE = "SIMULATION of Table 3: simulated annotators, drawn from real votes; no person answered"
EVERYBODY, BETWEEN = "all", "between"


class Row(NamedTuple):
    """One annotator with one kind of proposals; the fields are the columns of the CSV."""

    annotator: str
    """`all`: mean over the annotators; `between`: kappa of two annotators in the same repetition."""
    proposals: str
    """none, ssl or dc3."""
    kappa_mean: float
    """Cohen's kappa in per cent, over pairs of repetitions; NaN with one repetition."""
    kappa_std: float
    """Over the pairs (population); NaN with fewer than two."""
    minutes_mean: float
    """Time for all images, over repetitions."""
    minutes_std: float
    kl: float
    """Mean KL from the real votes to the share of the answers, all repetitions; lower is better."""
    images: int
    kind: str = "simulation"


def compare_proposals(
    bundles: dict[str, ProposalFolder], votes: pd.DataFrame, options: PlayOptions, seed: int = 0
) -> Iterator[Row]:
    """Rows of the table: first without proposals, then with those of each folder, all on the images they share.

    The control arms are set aside: each image gets its proposal, the column `none` shows what it is without.

    Args:
        bundles: by the name of their column, e.g. ssl and dc3; at least one.
        votes: real votes that cover the images.
        options: as in `play`.
        seed: each column draws from its own stream.
    """
    shared = set.intersection(*(set(bundle.proposals["image"]) for bundle in bundles.values()))
    if not shared:
        raise InputError("The folders of proposals share no image: propose from two runs on the same data.")
    kept = {name: keep_images(bundle, shared) for name, bundle in bundles.items()}
    first = next(iter(kept.values()))
    columns = {"none": with_arm(first, "control")} | {name: with_arm(each, "proposal") for name, each in kept.items()}
    streams = np.random.default_rng(seed).spawn(len(columns))
    for (name, bundle), generator in zip(columns.items(), streams, strict=True):
        truth = read_truth(bundle, votes)
        yield from summarise(name, play(bundle, truth, options, generator), bundle, truth)


def keep_images(bundle: ProposalFolder, images: set[str]) -> ProposalFolder:
    """The folder with only these images."""
    chosen = bundle.proposals["image"].isin(images)
    return bundle._replace(proposals=bundle.proposals[chosen].reset_index(drop=True))


def with_arm(bundle: ProposalFolder, arm: Arm) -> ProposalFolder:
    """The folder with all images in one arm."""
    return bundle._replace(proposals=bundle.proposals.assign(arm=arm))


def summarise(proposals: str, verdicts: pd.DataFrame, bundle: ProposalFolder, truth: np.ndarray) -> Iterator[Row]:
    """The rows of one column: each annotator, all, and the agreement between annotators."""
    answers = votes_of(verdicts).pivot(index="image", columns=["annotator", "round"], values="label")
    minutes = verdicts.groupby(["annotator", "round"])["seconds"].sum() / 60
    order, classes = bundle.proposals["image"], bundle.about.classes
    answers = answers.loc[order]
    n = len(order)
    rows = []
    for name in minutes.index.unique("annotator"):
        own, times = answers[name], minutes[name]
        kappa = _kappas(combinations((own[round_] for round_ in own), 2), classes)
        kl = mean_kl(truth, _share(own, classes))
        rows.append(Row(name, proposals, *kappa, times.mean(), times.std(ddof=0), kl, n))
    yield from rows
    kappa_mean, kappa_std, minutes_mean, minutes_std = np.mean([row[2:6] for row in rows], axis=0)
    kl = mean_kl(truth, _share(answers, classes))
    yield Row(EVERYBODY, proposals, kappa_mean, kappa_std, minutes_mean, minutes_std, kl, n)
    pairs = (
        pair
        for round_ in minutes.index.unique("round")
        for pair in combinations((answers[name, round_] for name in minutes.index.unique("annotator")), 2)
    )
    yield Row(BETWEEN, proposals, *_kappas(pairs, classes), np.nan, np.nan, np.nan, n)


def format_table(rows: list[Row]) -> str:
    """The table as text, the annotators as rows."""
    names = list(dict.fromkeys(row.proposals for row in rows))
    found = {(row.annotator, row.proposals): row for row in rows}
    header = "annotator      " + "".join(f"{name + ': kappa [%]':>20}{'minutes':>16}" for name in names)
    lines = [TITLE, f"{rows[0].images} images", "", header]
    for annotator in dict.fromkeys(row.annotator for row in rows):
        cells = [found[annotator, name] for name in names]
        texts = (
            f"{_plus_minus(row.kappa_mean, row.kappa_std):>20}{_plus_minus(row.minutes_mean, row.minutes_std):>16}"
            for row in cells
        )
        lines.append(f"{annotator:<15}" + "".join(texts))
    everybody = [found[EVERYBODY, name] for name in names]
    faster = [everybody[0].minutes_mean / row.minutes_mean for row in everybody]
    lines.append(f"{'times as fast':<15}" + "".join(f"{'':>20}{value:>16.2f}" for value in faster))
    lines.append(f"{'KL to the votes':<15}" + "".join(f"{row.kl:>20.3f}{'':>16}" for row in everybody))
    lines += [
        "",
        "kappa: within an annotator over repetitions; 'between': two annotators, same repetition",
        "simulation",
    ]
    return "\n".join(lines)


def _kappas(pairs: Iterator[tuple[pd.Series, pd.Series]], classes: tuple[str, ...]) -> tuple[float, float]:
    """Mean and standard deviation, in per cent; NaN where there are too few pairs."""
    index = pd.Index(classes)
    values = [
        100 * cohen_kappa(count_pair(index.get_indexer(first), index.get_indexer(second), len(classes)))
        for first, second in pairs
    ]
    return (
        float(np.mean(values)) if values else np.nan,
        float(np.std(values)) if len(values) > 1 else np.nan,
    )


def _share(answers: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    """(N, k) share of the answers in the columns."""
    values = answers.to_numpy()
    return np.stack([(values == name).mean(1) for name in classes], 1)


def _plus_minus(mean: float, std: float) -> str:
    if np.isnan(mean):
        return "-"
    return f"{mean:.2f}" if np.isnan(std) else f"{mean:.2f} ± {std:.2f}"
