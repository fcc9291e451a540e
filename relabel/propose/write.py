"""A run's proposals as a folder: tables, images, and a dataset file for DCIC."""

from dataclasses import dataclass
from pathlib import Path

from data.predictions import Predictions
from data.proposals import IMAGES, Origin, Proposal, refuse_class_mixed, write_proposal_tables
from relabel.propose.dcic import to_dcic, write_dcic
from relabel.propose.folder import check_replaceable, write_folder
from relabel.propose.image_files import ImageStore, write_images
from relabel.propose.options import ProposeOptions
from relabel.propose.proposals import Proposed, propose


@dataclass(frozen=True)
class RunFacts:
    """Which run proposes, for which round, and how good it is."""

    run_id: str
    round: int
    quality: tuple[str, ...] = ()
    """In words (`data.quality`)."""


def write_proposals(
    folder: Path,
    run: RunFacts,
    predictions: Predictions,
    store: ImageStore,
    options: ProposeOptions,
    *,
    overwrite: bool = False,
    show_progress: bool = True,
) -> Proposed:
    """Makes the proposals of a run and writes them whole into `folder`, or nothing.

    Args:
        store: the run's source of images.
        overwrite: also where somebody has edited clusters.csv.
    """
    folder = folder.resolve()  # its name stands in dcic.json
    check_replaceable(folder, overwrite)  # before the minutes of work
    refuse_class_mixed(predictions.class_names)
    proposed = propose(predictions, options, run.round)
    n_control = sum(proposal.arm == "control" for proposal in proposed.proposals)
    about = Origin(
        model_version=run.run_id,
        classes=predictions.class_names,
        round=run.round,
        control_share=n_control / len(proposed.proposals),
        seed=options.seed,
        quality=run.quality,
    )

    def fill(work: Path) -> None:
        names = [proposal.image for proposal in proposed.proposals]
        (work / IMAGES).mkdir()
        files = write_images(store, names, work / IMAGES, show_progress)
        proposals = [proposal._replace(file=files[proposal.image]) for proposal in proposed.proposals]
        write_proposal_tables(work, about, proposals, proposed.clusters)
        write_dcic(to_dcic(folder.name, about.classes, proposals, proposed.share, proposed.votes), work)

    write_folder(folder, overwrite, fill)
    return proposed


def count_proposals(proposals: list[Proposal]) -> str:
    """One line for people: how many images of which kind."""
    certain = sum(proposal.decision == "class" for proposal in proposals)
    control = sum(proposal.arm == "control" for proposal in proposals)
    suspects = sum(proposal.suspect for proposal in proposals)
    return (
        f"{len(proposals)} images: {certain} with a class, {len(proposals) - certain} in clusters;"
        f" {suspects} suspects, {control} without proposal (control arm)"
    )
