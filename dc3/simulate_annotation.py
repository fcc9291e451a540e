"""`dc3 simulate-annotation PROPOSALS`: annotators of known behaviour answer, and the paper's Table 3 is played."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import tyro

from data.errors import InputError
from data.votes.options import VoteOptions
from dc3.folders import refuse_file_as_folder
from dc3.notices import print_notices
from relabel.simulate.annotators import AnnotatorModel, TimeModel

if TYPE_CHECKING:
    from data.proposals import ProposalFolder

VERDICTS, TABLE = "simulation_verdicts.parquet", "simulation_table3"
SSL, DC3 = "ssl", "dc3"


@dataclass(frozen=True)
class SimulateOptions:
    """A SIMULATION of annotators: answers drawn from real votes by a published model. It says nothing of people."""

    proposals: tyro.conf.Positional[Path]
    """Folder of `dc3 propose`."""
    votes: Path
    """Real votes, in any form, to draw answers from; they must cover all images of the folder."""
    compare: Path | None = None
    """Folder of proposals of a vanilla run: the column `ssl` of Table 3."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("simulation")
    """Folder for the simulated verdicts and the table."""
    annotators: int = 3
    """Simulated annotators; each judges every image."""
    repetitions: int = 2
    """Times that each judges all of them; the paper has 3."""
    seed: int = 0
    """Of all draws: the same seed gives the same answers."""
    annotator: tyro.conf.OmitArgPrefixes[AnnotatorModel] = field(default_factory=AnnotatorModel)
    times: tyro.conf.OmitArgPrefixes[TimeModel] = field(default_factory=TimeModel)
    reading: tyro.conf.OmitArgPrefixes[VoteOptions] = field(default_factory=VoteOptions)


def main(argv: list[str]) -> int:
    """Parses, plays, writes verdicts and table, and prints the table."""
    # as --single-seconds was called here
    words = [re.sub(r"^--free[-_]seconds(?==|$)", "--single-seconds", word) for word in argv]
    options = tyro.cli(SimulateOptions, args=words, prog="dc3 simulate-annotation")
    refuse_file_as_folder(options.output)
    import pandas as pd

    from data.verdicts import write_verdicts
    from data.votes.reader import fit_votes, read_votes
    from relabel.simulate.play import PlayOptions, play, read_truth
    from relabel.simulate.table3 import compare_proposals, format_table

    bundles = _read_folders(options)
    bundle = bundles[DC3] if DC3 in bundles else bundles[SSL]
    images, classes = list(bundle.proposals["image"]), bundle.about.classes
    table = read_votes(options.votes, classes, options.reading)
    votes, notices, *_ = fit_votes(table, images, classes, all_there=False)
    print_notices(notices)
    playing = PlayOptions(options.annotators, options.repetitions, options.annotator, options.times)
    generator = np.random.default_rng(options.seed)
    verdicts = play(bundle, read_truth(bundle, votes), playing, generator)
    rows = list(compare_proposals(bundles, votes, playing, options.seed))
    text = format_table(rows)
    options.output.mkdir(parents=True, exist_ok=True)
    write_verdicts(verdicts, options.output / VERDICTS)
    pd.DataFrame(rows).to_csv(options.output / f"{TABLE}.csv", index=False)
    (options.output / f"{TABLE}.txt").write_text(text + "\n")
    print(text)
    print(f"\n{options.output / VERDICTS}: {len(verdicts)} simulated verdicts, both arms of the folder (simulation)")
    print(f"{options.output / TABLE}.csv and .txt: the table above (simulation)")
    print(f"Measure the simulation: dc3 agree {options.output / VERDICTS} --votes {options.votes}")
    return 0


def _read_folders(options: SimulateOptions) -> dict[str, "ProposalFolder"]:
    """The folders by their column of the table; one without any cluster is that of a vanilla run, `ssl`."""
    from data.proposals import read_proposal_folder

    bundle = read_proposal_folder(options.proposals)
    if not options.compare:
        return {DC3 if _n_clustered(bundle) else SSL: bundle}
    vanilla = read_proposal_folder(options.compare)
    faults = []
    if not _n_clustered(bundle):
        faults.append(f"{options.proposals} has no image in a cluster: give the folder of a DC3 run first")
    if _n_clustered(vanilla):
        faults.append(f"--compare takes classes only, {options.compare} has clusters: propose from a vanilla run")
    if faults:
        raise InputError("; ".join(faults))
    return {SSL: vanilla, DC3: bundle}


def _n_clustered(bundle: "ProposalFolder") -> int:
    return int((bundle.proposals["decision"] == "cluster").sum())
