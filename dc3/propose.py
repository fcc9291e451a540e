"""`dc3 propose RUN`: a run's proposals as a folder that annotators work from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.errors import InputError, name_some
from dc3.notices import print_notice
from relabel.propose.options import ProposeOptions, check_options

if TYPE_CHECKING:
    from data.sources.source import Source
    from training.batches.data_record import DataRecord


@dataclass(frozen=True)
class ProposeArguments:
    """Writes what a run proposes to annotators: certain images with their class, ambiguous ones by cluster."""

    run: tyro.conf.Positional[str] = "best"
    """MLflow run id, or `best` for the best run on the data and the validation images of the newest one."""
    by: Literal["proposals_right", "d_minus_f1"] = "proposals_right"
    """What `best` is chosen by: right proposals, or the paper's d - F1, which many tiny clusters make low."""
    anyway: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Propose although the model is no better than the commonest class."""
    output: Path = Path("proposals")
    """Folder to write; what it held stays until all is written."""
    round: int = 0
    """Of the relabelling; 0 for one more than that of the votes the run was trained on."""
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write over a folder whose clusters.csv was edited."""
    options: ProposeOptions = field(default_factory=ProposeOptions)


def main(argv: list[str]) -> int:
    """Parses, writes the folder, and prints what is in it and what comes next."""
    arguments = tyro.cli(ProposeArguments, args=argv, prog="dc3 propose", config=(tyro.conf.OmitArgPrefixes,))
    check_options(arguments.options)
    if arguments.round < 0:
        raise InputError(f"--round must be 1 or more, or 0 to count on; it is {arguments.round}.")
    from data.predictions import read_predictions
    from data.proposals import CLUSTERS, MIXED
    from data.quality import describe_quality
    from relabel.propose.image_files import SeenImages
    from relabel.propose.write import RunFacts, count_proposals, write_proposals
    from training import track
    from training.run_data import find_doubt, open_source

    given = arguments.run
    run_id = track.best_run(arguments.by, print_notice) if given == "best" else track.find_run(given).info.run_id
    quality = describe_quality(track.find_figures(run_id))
    if quality.proposals_help is False and not arguments.anyway:
        raise InputError(
            f"The proposals of run {run_id} are of no use; --anyway writes them all the same:\n- "
            + "\n- ".join(quality.words)
        )
    predictions = read_predictions(track.fetch_file(run_id, "predictions.parquet"))
    config, record = track.load_config(run_id), track.load_data_record(run_id)
    facts = RunFacts(run_id, arguments.round or track.round_of(run_id) + 1, quality.words)
    folder = arguments.output
    if doubt := find_doubt(record, config):
        print_notice(doubt)
    with open_source(record, config) as source:
        _check_images(record, source, config.data.images)
        images = SeenImages(source, record.reading)
        proposed = write_proposals(folder, facts, predictions, images, arguments.options, overwrite=arguments.overwrite)
    print(f"{folder}: run {run_id}, round {facts.round}")
    print("\n".join(quality.words))
    print(count_proposals(proposed.proposals))
    mixed = sum(cluster.proposal == MIXED for cluster in proposed.clusters)
    print(f"{len(proposed.clusters)} clusters, {mixed} of them mixed: their images are judged one by one")
    if proposed.clusters:
        print(f"Captions and classes of clusters can be edited in {folder / CLUSTERS}")
    print(f"Review them:      dc3 review {folder}")
    print(f"In Label Studio:  dc3 label-studio push {folder}")
    print(f"Then:             dc3 merge {folder} VERDICTS --votes VOTES --output next")
    return 0


def _check_images(record: "DataRecord", source: "Source", place: str) -> None:
    """Raises InputError where annotators would not see what the run saw."""
    from training.run_data import find_other_images

    other = sorted(find_other_images(record, source, record.names))
    if other:
        raise InputError(
            f"{len(other)} image(s) that the run was trained on are gone from {place} or have other content now:"
            f" {name_some(other)}; bring them back, or train again."
        )
