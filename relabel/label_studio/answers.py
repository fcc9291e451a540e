"""Label Studio's exported annotations as verdicts: pure reading, no requests."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from relabel.bundle import MIXED, Bundle, Proposal
from relabel.label_studio.config import CLUSTER_CLASS, IMAGE_CLASS, OUTLIERS
from relabel.label_studio.projects import Kind
from relabel.label_studio.tasks import ID, MEMBERS, SHOWN
from relabel.verdicts import Outcome, Unit, Verdict

TOOL = "label-studio"


class Answer(NamedTuple):
    """One annotation."""

    task: int
    name: str
    """Of the task."""
    members: tuple[str, ...]
    """Images that were judged: one, or those of a cluster."""
    annotator: str
    label: str
    """Class or `mixed`; empty when it was skipped."""
    excluded: frozenset[str]
    """Images that do not belong to the cluster."""
    shown: str
    """The class that was selected before, empty for none."""
    seconds: float
    """From opening the page to submitting it, by the clock on the wall; NaN where no browser measured."""
    at: str

    @property
    def is_bulk(self) -> bool:
        """Whether a tool made it: browsers always send their time."""
        return self.seconds != self.seconds


class Answers(NamedTuple):
    """What was read of one project."""

    verdicts: list[Verdict]
    queued: frozenset[str]
    """Images to be judged singly: excluded from their cluster, or members of one that was called mixed."""
    left_out: list[str]
    """Annotations that are none of ours, or that cannot count, one text each."""
    faults: list[str]
    """Answers that are none of the classes, with task and annotator."""


def read_answers(tasks: Iterable[Mapping[str, Any]], people: Mapping[int, str], bundle: Bundle, kind: Kind) -> Answers:
    """Verdicts of a project's exported tasks, in the order of tasks, annotations and members.

    Args:
        tasks: as exported (exportType=JSON), with their annotations.
        people: names of the users by their number.
        bundle: the proposals that were pushed.
        kind: of the project.
    """
    rows = {row.image: row for row in bundle.proposals.itertuples(index=False)}
    known = {*bundle.about.classes, MIXED} if kind == "clusters" else {*bundle.about.classes}
    verdicts: list[Verdict] = []
    queued: set[str] = set()
    left_out: list[str] = []
    faults: list[str] = []
    for task in sorted(tasks, key=lambda task: task["id"]):
        members = _members(task["data"], kind)
        if not members or not all(image in rows for image in members):
            left_out.append(f"task {task['id']} is not one of these proposals: {len(task['annotations'])} answer(s)")
            continue
        for answer in _latest(task, members, people, kind, left_out):
            strange = [answer.label] if answer.label and answer.label not in known else []
            strange += sorted(answer.excluded - set(members))
            if strange:
                faults.append(f"task {answer.task} ({answer.name}) by {answer.annotator}: {', '.join(strange)}")
                continue
            verdicts += [_judge(answer, rows[image], bundle, kind) for image in members]
            queued |= set(members) if answer.label == MIXED and kind == "clusters" else answer.excluded
    return Answers(verdicts, frozenset(queued), left_out, faults)


def _members(data: Mapping[str, Any], kind: Kind) -> tuple[str, ...]:
    if kind != "clusters":
        return (str(data[ID]),) if ID in data else ()
    members = data.get(MEMBERS)
    return tuple(str(member["value"]) for member in members) if isinstance(members, list) else ()


def _latest(
    task: Mapping[str, Any], members: tuple[str, ...], people: Mapping[int, str], kind: Kind, left_out: list[str]
) -> list[Answer]:
    """Each annotator's last answer to a task: an earlier one was withdrawn by it."""
    latest: dict[str, Answer] = {}
    for annotation in sorted(task["annotations"], key=lambda annotation: annotation["id"]):
        answer = _parse(task, annotation, members, people, kind)
        where = f"task {task['id']} ({answer.name}) by {answer.annotator}"
        if not answer.label and not annotation["was_cancelled"]:
            left_out.append(f"{where}: submitted without a class")
            continue
        if answer.annotator in latest:
            left_out.append(f"{where}: answered again, the last one counts")
        latest[answer.annotator] = answer
    return list(latest.values())


def _parse(
    task: Mapping[str, Any],
    annotation: Mapping[str, Any],
    members: tuple[str, ...],
    people: Mapping[int, str],
    kind: Kind,
) -> Answer:
    results = {result["from_name"]: result for result in annotation["result"] if result.get("type") == "choices"}
    label = results.get(CLUSTER_CLASS if kind == "clusters" else IMAGE_CLASS)
    outliers = results.get(OUTLIERS)
    # A browser notes the origin of a selection. `manual` and no parent: the page showed no proposal, whatever the
    # project was meant to do. An answer without origin came by the API and is taken as the project is.
    unseen = label is not None and label.get("origin") == "manual" and annotation.get("parent_prediction") is None
    skipped = annotation["was_cancelled"]
    user = annotation["completed_by"]
    number = user["id"] if isinstance(user, dict) else user
    seconds = annotation["lead_time"]
    return Answer(
        task["id"],
        str(task["data"].get(ID, "")),
        members,
        people.get(number, f"user {number}"),
        "" if skipped or not label else str(label["value"]["choices"][0]),
        frozenset(outliers["value"]["choices"]) if outliers and not skipped else frozenset(),
        "" if unseen else str(task["data"].get(SHOWN, "")),
        float("nan") if seconds is None else float(seconds),
        datetime.fromisoformat(annotation["created_at"]).astimezone(UTC).isoformat(),
    )


def _judge(answer: Answer, row: Proposal, bundle: Bundle, kind: Kind) -> Verdict:
    outcome = _outcome(answer, row.image, kind)
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


def _outcome(answer: Answer, image: str, kind: Kind) -> Outcome:
    if not answer.label or (kind == "clusters" and answer.label == MIXED):
        return "skipped"
    if image in answer.excluded:
        return "excluded"
    if answer.is_bulk:
        return "bulk"
    if not answer.shown:
        return "manual"
    return "accepted" if answer.label == answer.shown else "changed"
