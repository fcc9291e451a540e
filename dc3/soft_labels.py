"""`dc3 soft-labels VOTES|VERDICTS`: estimates of soft labels beside the raw votes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import tyro

from data.errors import InputError
from data.votes.options import VoteOptions
from dc3.folders import refuse_file_as_folder
from dc3.notices import print_notices
from relabel.options import EstimateOptions

if TYPE_CHECKING:
    import pandas as pd

    from relabel.soft_labels.ballots import Ballots

Estimate = Literal["blending", "bias_correction", "bias_correction_blending", "dawid_skene", "crowdlab"]


@dataclass(frozen=True)
class SoftLabelsOptions:
    """Estimates soft labels from few votes. The raw votes and their share stand beside every estimate."""

    tables: tyro.conf.Positional[tuple[Path, ...]]
    """Votes in any form, and verdict tables of `dc3 label-studio pull` or review, .csv or .parquet; their votes are
    joined."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("soft.parquet")
    """File to write."""
    estimates: tuple[Estimate, ...] = ("blending",)
    """Bias correction needs verdict tables: they say which proposal was shown. Dawid-Skene and CROWDLAB need
    annotators' names, CROWDLAB --predictions as well."""
    predictions: Path | None = None
    """predictions.parquet of a run that was not trained on these votes; also names the classes."""
    calibration: Path | None = None
    """Vote table of a few images with many votes, from which blending takes its classes' means; else these votes."""
    reading: tyro.conf.OmitArgPrefixes[VoteOptions] = field(default_factory=VoteOptions)
    estimating: tyro.conf.OmitArgPrefixes[EstimateOptions] = field(default_factory=EstimateOptions)


def main(argv: list[str]) -> int:
    """Parses, estimates, writes, and prints how far each estimate moved from the votes."""
    options = tyro.cli(SoftLabelsOptions, args=argv, prog="dc3 soft-labels")
    _check_paths(options)
    from relabel.soft_labels.estimates import estimate, write_estimates

    ballots = _gather(options)
    # share first, each name once: the file is made of columns
    names = list(dict.fromkeys(("share", *options.estimates)))
    estimates = estimate(names, ballots, options.estimating)
    write_estimates(options.output, ballots, estimates, options.estimating)
    _print_summary(options.output, ballots, estimates)
    return 0


def _check_paths(options: SoftLabelsOptions) -> None:
    faults = []
    if options.output.suffix != ".parquet":
        faults.append(f"--output must end in .parquet, it is {options.output}")
    read = [path for path in (*options.tables, options.predictions, options.calibration) if path]
    if options.output.resolve() in [path.resolve() for path in read]:
        faults.append(f"--output {options.output} is one of the files read: raw votes are never overwritten")
    if not options.tables:
        faults.append("at least one table of votes or verdicts is needed: `dc3 soft-labels votes.csv`")
    if faults:
        raise InputError("; ".join(faults))
    refuse_file_as_folder(options.output.parent)


def _gather(options: SoftLabelsOptions) -> "Ballots":
    from data.names.fit import describe_alike
    from data.predictions import read_predictions
    from data.votes.reader import fit_votes, read_votes
    from relabel.soft_labels.ballots import gather_ballots
    from relabel.soft_labels.estimates import with_calibration, with_predictions

    predictions = read_predictions(options.predictions) if options.predictions else None
    images = list(predictions.images) if predictions else []
    classes = predictions.class_names if predictions else ()
    tables = []
    for path in options.tables:
        rows, notices = _read(path, images, classes, options.reading)
        print_notices(notices)
        tables.append(rows)
        if not predictions:  # later tables are read by the names of the earlier ones
            images = list(dict.fromkeys((*images, *rows["image"])))
            named = {*rows["label"], *rows.get("proposal", ())} - {""}
            classes = tuple(dict.fromkeys((*classes, *sorted(named))))
    ballots = gather_ballots(tables, predictions.class_names if predictions else ())
    print_notices((*ballots.notices, *describe_alike(ballots.images, "The tables")))
    if predictions:
        ballots = with_predictions(ballots, predictions)
    if not options.calibration:
        return ballots
    calibration = fit_votes(
        read_votes(options.calibration, ballots.classes, replace(options.reading, form="")),
        ballots.images,
        ballots.classes,
        all_there=False,
    )
    print_notices(calibration.notices)
    return with_calibration(ballots, calibration.rows)


def _read(
    path: Path, images: Sequence[str], classes: Sequence[str], reading: VoteOptions
) -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """A vote or verdict table, its images and labels named as in the tables before it."""
    from data.verdicts import fit_verdicts, is_verdict_table, read_verdicts
    from data.votes.reader import fit_votes, read_votes

    if is_verdict_table(path):
        return fit_verdicts(read_verdicts(path), path.name, images, classes, all_there=False)
    rows, notices, *_ = fit_votes(read_votes(path, classes, reading), images, classes, all_there=False)
    return rows, notices


def _print_summary(path: Path, ballots: "Ballots", estimates: dict[str, np.ndarray]) -> None:
    from data.votes.counts import leading, vote_entropy

    n_votes = len(ballots.image)
    print(f"{len(ballots.images)} images, {n_votes} votes, {n_votes / len(ballots.images):.1f} an image")
    print("\nestimate                   entropy  other class leads  mean change")
    share = estimates["share"]
    leads = leading(share)
    for name, soft in estimates.items():
        moved = np.abs(soft - share).sum(1).mean() / 2
        others = int((~(leading(soft) & leads).any(1)).sum())
        print(f"{name:<26} {vote_entropy(soft).mean():>7.4f}  {others:>17}  {moved:>11.4f}")
    print("\nentropy in nats; other class leads: images of which no leading class leads the votes;")
    print("mean change: share of the probability that moved")
    print(f"\n{path}: raw votes (column votes) beside {', '.join(estimates)}")
