"""`dc3 sort RUN --by SORTING`: a finished run under another sorting, without another training."""

from dataclasses import dataclass

import tyro

from data.errors import InputError
from dc3.figures import print_figures
from dc3.notices import print_notice
from training.options import SortingOptions


@dataclass(frozen=True)
class SortOptions:
    """Gives a finished run another sorting, fitted on its training images, as a run of its own."""

    run: tyro.conf.Positional[str]
    """MLflow run id."""
    by: str
    """network (p_a and p_o as published) or confidence (1 - max p_n, and k-means inside each predicted class)."""
    ambiguous_share: float | None = None
    """Share of the training images that confidence calls ambiguous, 0 to 1; empty takes the prior p_A."""
    ambiguous_from: float | None = None
    """Value of 1 - max p_n from which confidence calls an image ambiguous, in place of a share; 0 to 1."""
    name: str = ""
    """Name of the new run in MLflow."""


def main(argv: list[str]) -> int:
    """Sorts, and prints figures and id of the new run."""
    options = tyro.cli(SortOptions, args=argv, prog="dc3 sort")
    from training.sort_again import sort_again
    from training.sorting import SORTINGS

    sorting = SortingOptions(options.by, options.ambiguous_share, options.ambiguous_from)
    has_border = options.ambiguous_share is not None or options.ambiguous_from is not None
    if options.by in SORTINGS and has_border and not SORTINGS[options.by].gives_ambiguity:
        raise InputError(f"--by {options.by} has its own border: leave --ambiguous-share and --ambiguous-from out.")
    result = sort_again(options.run, sorting, name=options.name, on_notice=print_notice)
    print_figures(result.metrics)
    print(f"run          {result.run_id}")
    print(f"sorted from  {options.run}")
    print(f"predictions  {result.predictions}")
    if result.report.exists():
        print(f"report       {result.report}")
    return 0
