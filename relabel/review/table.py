"""Answers as rows of the one verdict table."""

from pathlib import Path

from data.errors import InputError, name_some
from data.proposals import Origin, Proposal, ProposalFolder
from data.verdicts import Outcome, Verdict
from relabel.review.events import Answer
from relabel.review.journal import read_journal
from relabel.review.progress import Progress


def proposals_of(bundle: ProposalFolder) -> dict[str, Proposal]:
    """The rows of proposals.parquet by image."""
    columns = (bundle.proposals[name].tolist() for name in Proposal._fields)
    rows = [Proposal(*values) for values in zip(*columns, strict=True)]
    return {row.image: row for row in rows}


def to_verdicts(answers: list[Answer], proposals: dict[str, Proposal], about: Origin) -> list[Verdict]:
    """One row an image; a grid's seconds are shared by all its images, the excluded ones too."""
    return [
        Verdict(
            image=image,
            annotator=answer.annotator,
            label="" if outcome in ("excluded", "skipped") else answer.label,
            seconds=answer.seconds / len(answer.images),
            at=answer.at,
            round=about.round,
            tool="review",
            unit="cluster" if answer.unit.startswith(("cluster:", "class:")) else "image",
            cluster=proposals[image].cluster,
            arm=proposals[image].arm,
            proposal=proposals[image].proposal if proposals[image].arm == "control" else shown,
            model_version=about.model_version,
            outcome=outcome,
            offered=proposals[image].offered,
        )
        for answer in answers
        for image, shown in zip(answer.images, answer.proposals, strict=True)
        for outcome in (_outcome(answer, image, shown),)
    ]


def export_verdicts(bundle: ProposalFolder, journal: Path) -> list[Verdict]:
    """All answers of a journal that stand, also while it is in use; raises InputError when it is of other proposals."""
    if not journal.is_file():
        raise InputError(f"No answers at {journal}: `dc3 review {bundle.folder}` collects them.")
    answers = Progress(read_journal(journal)[0]).standing()
    proposals = proposals_of(bundle)
    strange = [image for answer in answers for image in answer.images if image not in proposals]
    if strange:
        raise InputError(f"{journal} has answers to images that {bundle.folder} lacks: {name_some(strange)}.")
    return to_verdicts(answers, proposals, bundle.about)


def _outcome(answer: Answer, image: str, shown: str) -> Outcome:
    if image in answer.excluded:
        return "excluded"
    if answer.decision != "label":
        return "skipped"
    if not shown:
        return "manual"
    return "accepted" if answer.label == shown else "changed"
