"""The paper's own figures, for tables that show them beside ours."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent / "paper"
PAPER_PRIOR = 0.6
"""p_A of the rows taken; the paper also has rows with each data set's own prior."""
POOLED_METHODS = frozenset({"supervised", "mean_teacher", "pi_model", "pseudo_label", "fixmatch"})
"""Those that Table 4 pools; other ones beside them make another mean."""
POOLED = "all"
"""Stands for the method in rows over all methods (Table 4)."""
_CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_DATA = {
    "cifar10h": (10_000, len(_CIFAR)),
    "plankton": (12_280, 10),
    "mice_bone": (7_240, 3),
    "turkey": (8_040, 2),
}
"""Images and classes of the paper's data sets; how much of STL-10 it took is not known."""


class PaperFigures(NamedTuple):
    """Figures of the run with the lowest d - F1, fractions as our metrics; NaN where the paper has none."""

    f1: float
    d: float
    d_minus_f1: float
    f1_mean: float
    d_mean: float
    d_minus_f1_mean: float
    source: str
    """The table it stands in."""


def is_papers_data(dataset: str, n_images: int, classes: Sequence[str]) -> bool:
    """Whether data of this size and these classes are the paper's data set of that name.

    A preset says only what somebody meant to train on: a lab's 2,500 photographs are not CIFAR-10H, whatever preset
    they were trained by, and nobody's figures on other images stand beside theirs.
    """
    if _DATA.get(dataset) != (n_images, len(classes)):
        return False
    return dataset != "cifar10h" or tuple(sorted(classes)) == _CIFAR


def paper_figures(dataset: str, method: str, variant: str) -> PaperFigures | None:
    """What the paper reports of a setup, None where it has no figure.

    Args:
        dataset: plankton, turkey, mice_bone, cifar10h or stl10; any other name has no figures.
        method: a name of METHODS, or `all` for the rows pooled over the methods.

    Best figures of vanilla and dc3 come from Table 2; the means and the other variants from Tables 7 to 11, which are
    transcribed for CIFAR-10H only.
    """
    if method == POOLED:
        return _ablation_row(_read("table4").query("dataset == @dataset"), variant, "Table 4")
    detailed = None
    if dataset == "cifar10h":
        detailed = _ablation_row(_read("tables7to11_cifar10h").query("method == @method"), variant, "Tables 7-11")
    table = _read("table2").query("dataset == @dataset and method == @method and extension == @variant")
    if table.empty:
        return detailed
    f1, d, d_minus_f1 = (float(table.iloc[0][name]) / 100 for name in ("f1", "d", "d_minus_f1"))
    means = (detailed.f1_mean, detailed.d_mean, detailed.d_minus_f1_mean) if detailed else (np.nan,) * 3
    return PaperFigures(f1, d, d_minus_f1, *means, "Table 2")


def _ablation_row(table: pd.DataFrame, variant: str, source: str) -> PaperFigures | None:
    """The row of a variant in one of the ablation tables, with the prior of 0.6 where it has one."""
    prior = table["prior_ambiguity"]
    rows = table[(table["variant"] == variant) & (prior.isna() | (prior == PAPER_PRIOR))]
    if rows.empty:
        return None
    row = rows.iloc[0]
    best, mean = ([float(row[f"{name}_{kind}"]) for name in ("f1", "d", "d_minus_f1")] for kind in ("best", "mean"))
    return PaperFigures(best[0], best[1], best[2], mean[0], mean[1], mean[2], source)


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", comment="#")
