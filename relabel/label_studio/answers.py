"""Label Studio's exported annotations as verdicts: pure reading, no requests."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from data.proposals import MIXED, Proposal, ProposalFolder
from data.verdicts import Outcome, Unit, Verdict
from relabel.label_studio.annotations import Answer, Json, find_last, read_members, read_task, unite_tasks
from relabel.label_studio.projects import Kind

TOOL = "label-studio"


class Answers(NamedTuple):
    """What was read of one project."""

    verdicts: list[Verdict]
    queued: frozenset[str]
    """Images to be judged singly: excluded from their cluster, or members of one that was called mixed."""
    left_out: list[str]
    """Annotations that are none of ours, or that cannot count, one text each."""
    faults: list[str]
    """Answers that are none of the classes, with task and annotator."""


def read_answers(tasks: Iterable[Json], people: Mapping[int, str], bundle: ProposalFolder, kind: Kind) -> Answers:
    """Verdicts of a project's exported tasks, in the order of tasks, annotations and members.

    Args:
        tasks: as exported (exportType=JSON), with their annotations.
        people: names of the users by their number.
        bundle: the proposals that were pushed.
        kind: of the project.
    """
    rows = {row.image: row for row in bundle.proposals.itertuples(index=False)}
    known = {*bundle.about.classes, MIXED} if kind == "clusters" else {*bundle.about.classes}
    answers: list[Answer] = []
    foreign: list[str] = []
    for task in unite_tasks(tasks):
        members = read_members(task["data"], kind)
        if members and all(image in rows for image in members):
            answers += read_task(task, people, kind)
        elif task["annotations"]:
            n_answers = len(task["annotations"])
            foreign.append(f"task {task['id']} is not one of these proposals: {n_answers} answer(s)")
    last = find_last(answer for answer in answers if answer.labels or answer.skipped)
    verdicts: list[Verdict] = []
    queued: set[str] = set()
    left_out: list[str] = []
    faults: list[str] = []
    for answer in answers:
        strange = _find_strange(answer, known)
        if not (answer.labels or answer.skipped):
            left_out.append(f"{answer.where}: submitted without a class")
        elif answer.id not in last:
            left_out.append(f"{answer.where}: answered again, the last one counts")
        elif strange:
            faults.append(f"{answer.where}: {', '.join(strange)}")
        else:
            verdicts += [_judge(answer, rows[image], bundle, kind) for image in answer.members]
            queued |= set(answer.members) if answer.label == MIXED else answer.excluded
    return Answers(verdicts, frozenset(queued), left_out + foreign, faults)


def _find_strange(answer: Answer, known: set[str]) -> list[str]:
    """What an annotator cannot have meant: Label Studio takes all of it from a program."""
    strange = [label for label in answer.labels if label not in known]
    if len(answer.labels) > 1:
        strange.append(f"{len(answer.labels)} classes at once ({', '.join(answer.labels)})")
    return strange + sorted(answer.excluded - set(answer.members))


def _judge(answer: Answer, row: Proposal, bundle: ProposalFolder, kind: Kind) -> Verdict:
    outcome = _outcome(answer, row.image)
    unit: Unit = "cluster" if kind == "clusters" else "image"
    return Verdict(
        image=row.image,
        annotator=answer.annotator,
        label="" if outcome in ("excluded", "skipped") else answer.label,
        seconds=answer.seconds / len(answer.members),
        at=answer.at,
        round=bundle.about.round,
        tool=TOOL,
        unit=unit,
        cluster=row.cluster,
        arm=row.arm,
        proposal=row.proposal if row.arm == "control" else answer.shown,
        model_version=bundle.about.model_version,
        outcome=outcome,
        offered=row.offered,
    )


def _outcome(answer: Answer, image: str) -> Outcome:
    if answer.skipped or answer.label == MIXED:  # of a single image that would be none of the known answers
        return "skipped"
    if image in answer.excluded:
        return "excluded"
    if answer.is_bulk:
        return "bulk"
    if not answer.shown:
        return "manual"
    return "accepted" if answer.label == answer.shown else "changed"
