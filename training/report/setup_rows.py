"""Table 2 from single runs: best, mean and standard deviation of each method, variant and sorting."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.options import By
from training.report.paper_figures import POOLED, POOLED_METHODS, PaperFigures, paper_figures

VARIANT_ORDER = ("vanilla", "inverse_ce", "cc", "dc3", "dc3_guided")
AS_PUBLISHED = "network"
"""The sorting of the paper."""


class RunRow(NamedTuple):
    """Figures of one run on the validation images, fractions as `evaluate` yields them."""

    method: str
    variant: str
    seed: int
    run_id: str
    f1: float
    d: float
    d_minus_f1: float
    ambiguous_share: float
    degenerate: bool
    auroc: float | None
    """None where undefined: no predicted ambiguity, or all annotators agree."""
    seconds: float
    right: float | None = None
    """Share of right proposals; None for a run of an older version whose predictions are gone."""
    right_shuffled: float | None = None
    """The same with its clusters shuffled; None where no image is ambiguous."""
    right_commonest: float | None = None
    """The same for who always proposes the commonest class."""
    d_left_out: float | None = None
    baseline_f1: float | None = None
    """What a user would do without DC3 (`training.evaluate.baseline`); None where there is no vanilla run, and for
    runs that are sorted as the baseline is."""
    baseline_d: float | None = None
    baseline_d_minus_f1: float | None = None
    baseline_right: float | None = None
    baseline_auroc: float | None = None
    sorting: str = AS_PUBLISHED
    d_weighted: float | None = None
    """None for a run of an older version, as the next."""
    purity_left_out: float | None = None
    flat_d: float | None = None
    """The second baseline: one k-means over all ambiguous images."""
    flat_d_minus_f1: float | None = None
    flat_right: float | None = None

    @property
    def setup(self) -> str:
        """Variant and sorting in words; the paper's sorting is not named."""
        return self.variant if self.sorting == AS_PUBLISHED else f"{self.variant} by {self.sorting}"


class Spread(NamedTuple):
    """One figure over several runs; NaN where undefined."""

    best: float
    """Of the best run, by right proposals or by d - F1; not the best of this figure alone."""
    mean: float
    std: float
    """Of the sample (n - 1), as in the paper's tables: NaN for a single run."""


class SetupRow(NamedTuple):
    """One line of the table: all runs of a method, variant and sorting, or of these over all methods (method `all`)."""

    method: str
    variant: str
    sorting: str
    n_runs: int
    """Runs that are not degenerate."""
    n_degenerate: int
    """By d - F1 they are left out of all figures, as in the paper; by right proposals they are in all."""
    best_run_id: str
    """Empty where no run can be chosen."""
    right: Spread
    right_shuffled: Spread
    right_commonest: Spread
    d_left_out: Spread
    f1: Spread
    d: Spread
    d_minus_f1: Spread
    ambiguous_share: Spread
    auroc: Spread
    seconds: Spread
    baseline_f1: Spread
    """The baseline's best is its own best run: it is a setup like any other."""
    baseline_d: Spread
    baseline_d_minus_f1: Spread
    baseline_right: Spread
    baseline_auroc: Spread
    d_weighted: Spread
    purity_left_out: Spread
    flat_d: Spread
    flat_d_minus_f1: Spread
    flat_right: Spread
    paper: PaperFigures | None


def summarise(rows: Sequence[RunRow], paper_dataset: str = "", by: By = "proposals_right") -> list[SetupRow]:
    """One row a method, variant and sorting, then (with several methods) one over all methods, as in Table 4.

    Args:
        paper_dataset: whose figures to put beside ours; empty or unknown for none.
        by: what the best run of a line is chosen by.
    """
    methods, setups = order_methods(rows), order_setups(rows)
    table = []
    for method in methods:
        for setup in setups:
            chosen = [row for row in rows if (row.method, row.variant, row.sorting) == (method, *setup)]
            if chosen:
                table.append(_summarise_setup(method, *setup, chosen, paper_dataset, by))
    if len(methods) > 1:
        theirs = paper_dataset if set(methods) <= POOLED_METHODS else ""
        for setup in setups:
            chosen = [row for row in rows if (row.variant, row.sorting) == setup]
            table.append(_summarise_setup(POOLED, *setup, chosen, theirs, by))
    return table


def order_methods(rows: Sequence[RunRow]) -> list[str]:
    """The methods in the order of their first run."""
    return list(dict.fromkeys(row.method for row in rows))


def order_setups(rows: Sequence[RunRow]) -> list[tuple[str, str]]:
    """Variant and sorting: the variants in the order of Table 4, the sortings of each in that of their first run."""
    found = list(dict.fromkeys((row.variant, row.sorting) for row in rows))
    known = [name for name in VARIANT_ORDER if any(name == variant for variant, _ in found)]
    variants = known + sorted({variant for variant, _ in found} - set(VARIANT_ORDER))
    return [setup for variant in variants for setup in found if setup[0] == variant]


def _summarise_setup(
    method: str, variant: str, sorting: str, rows: Sequence[RunRow], paper_dataset: str, by: By
) -> SetupRow:
    kept = [row for row in rows if by == "proposals_right" or not row.degenerate]
    best, baseline_best = (
        _find_lowest([row.d_minus_f1 for row in kept]),
        _find_lowest([row.baseline_d_minus_f1 for row in kept]),
    )
    if by == "proposals_right":
        best = _find_lowest([None if row.right is None else -row.right for row in kept])
        baseline_best = _find_lowest([None if row.baseline_right is None else -row.baseline_right for row in kept])
    ours = {name: _spread([getattr(row, name) for row in kept], best) for name in _FIGURES}
    baseline = {name: _spread([getattr(row, name) for row in kept], baseline_best) for name in _BASELINE_FIGURES}
    n_degenerate = sum(row.degenerate for row in rows)
    return SetupRow(
        method=method,
        variant=variant,
        sorting=sorting,
        n_runs=len(rows) - n_degenerate,
        n_degenerate=n_degenerate,
        best_run_id=kept[best].run_id if best is not None else "",
        paper=paper_figures(paper_dataset, method, variant) if sorting == AS_PUBLISHED else None,
        **ours,
        **baseline,
    )


_FIGURES = (
    *("f1", "d", "d_minus_f1", "ambiguous_share", "auroc", "seconds"),
    *("right", "right_shuffled", "right_commonest", "d_left_out", "d_weighted", "purity_left_out"),
)
_BASELINE_FIGURES = (
    *("baseline_f1", "baseline_d", "baseline_d_minus_f1", "baseline_right", "baseline_auroc"),
    *("flat_d", "flat_d_minus_f1", "flat_right"),
)


def _find_lowest(values: Sequence[float | None]) -> int | None:
    """Place of the lowest value, the first at a tie; None where there is none."""
    known = [(value, place) for place, value in enumerate(values) if value is not None]
    return min(known)[1] if known else None


def _spread(values: Sequence[float | None], best: int | None) -> Spread:
    """Example: 0.7, 0.8, 0.9 with best 1 gives 0.8, mean 0.8, std 0.1."""
    known = np.array([value for value in values if value is not None])
    chosen = values[best] if best is not None else None
    return Spread(
        float("nan") if chosen is None else chosen,
        float(known.mean()) if len(known) else float("nan"),
        float(known.std(ddof=1)) if len(known) > 1 else float("nan"),
    )
