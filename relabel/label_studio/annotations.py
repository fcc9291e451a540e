"""Exported annotations as answers: of each person and page the last one, whatever Label Studio listed it as."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from relabel.label_studio.project_pages import CLUSTER_CLASS, IMAGE_CLASS, OUTLIERS
from relabel.label_studio.projects import Kind
from relabel.label_studio.tasks import ID, MEMBERS, SHOWN

Json = Mapping[str, Any]


class Answer(NamedTuple):
    """One annotation."""

    id: int
    task: int
    name: str
    """Of the task."""
    members: tuple[str, ...]
    """Images that were judged: one, or those of a cluster."""
    annotator: str
    """E-mail address; of a user who was deleted since, a name that no other annotation has."""
    labels: tuple[str, ...]
    """Classes, or `mixed`: one, or none when it was skipped or submitted empty; only a program can send more."""
    skipped: bool
    excluded: frozenset[str]
    """Images that do not belong to the cluster."""
    shown: str
    """The class that was selected before, empty for none."""
    seconds: float
    """From opening the page to submitting it, by the clock on the wall; NaN where no browser measured."""
    at: str
    """When it was given, or last edited: ISO 8601 in UTC."""

    @property
    def label(self) -> str:
        """The class or `mixed`, empty when it was skipped."""
        return self.labels[0] if self.labels else ""

    @property
    def is_bulk(self) -> bool:
        """Whether a tool made it: browsers always send their time."""
        return math.isnan(self.seconds)

    @property
    def where(self) -> str:
        """Task and annotator, for messages."""
        return f"task {self.task} ({self.name}) by {self.annotator}"


def unite_tasks(tasks: Iterable[Json]) -> list[Json]:
    """The tasks by their number, each once with each of its annotations once, however often they are listed."""
    found: dict[int, Json] = {}
    annotations: dict[int, dict[int, Json]] = {}
    for task in tasks:
        found[task["id"]] = task
        mine = annotations.setdefault(task["id"], {})
        for annotation in task["annotations"]:
            other = mine.get(annotation["id"])
            if other is None or _time(other) <= _time(annotation):
                mine[annotation["id"]] = annotation
    return [
        {**found[number], "annotations": [mine[place] for place in sorted(mine)]}
        for number, mine in sorted(annotations.items())
    ]


def read_members(data: Json, kind: Kind) -> tuple[str, ...]:
    """The images of a task, none where it is not one of ours."""
    if kind != "clusters":
        return (str(data[ID]),) if ID in data else ()
    members = data.get(MEMBERS)
    if not isinstance(members, list) or not all(isinstance(member, dict) and "value" in member for member in members):
        return ()
    return tuple(str(member["value"]) for member in members)


def read_task(task: Json, people: Mapping[int, str], kind: Kind) -> Iterator[Answer]:
    """All answers to a task, by the number of their annotation."""
    members = read_members(task["data"], kind)
    for annotation in task["annotations"]:
        yield _parse(task, annotation, members, people, kind)


def find_last(answers: Iterable[Answer]) -> frozenset[int]:
    """The annotations that count: of those that one person gave to the same images the one that he touched last.

    Two tasks may hold the same images: a push that was killed leaves copies. An annotation's number does not tell when
    it was given: an older one may have been edited later.
    """
    last: dict[tuple[tuple[str, ...], str], Answer] = {}
    for answer in sorted(answers, key=lambda answer: (answer.at, answer.id)):
        last[answer.members, answer.annotator] = answer
    return frozenset(answer.id for answer in last.values())


def _parse(task: Json, annotation: Json, members: tuple[str, ...], people: Mapping[int, str], kind: Kind) -> Answer:
    results = [result for result in annotation.get("result") or [] if result.get("type") == "choices"]
    control = CLUSTER_CLASS if kind == "clusters" else IMAGE_CLASS
    # A browser notes the origin of a selection. `manual` and no parent: the page showed no proposal, whatever the
    # project was meant to do. An answer without origin came by the API and is taken as the project is.
    manual = any(result["from_name"] == control and result.get("origin") == "manual" for result in results)
    unseen = manual and annotation.get("parent_prediction") is None
    skipped = bool(annotation.get("was_cancelled"))
    return Answer(
        id=annotation["id"],
        task=task["id"],
        name=str(task["data"].get(ID, "")),
        members=members,
        annotator=_name_annotator(annotation, people),
        labels=() if skipped else _read_choices(results, control),
        skipped=skipped,
        excluded=frozenset(() if skipped else _read_choices(results, OUTLIERS)),
        shown="" if unseen else str(task["data"].get(SHOWN, "")),
        seconds=_read_seconds(annotation.get("lead_time")),
        at=_time(annotation).isoformat(),
    )


def _read_choices(results: list[Json], control: str) -> tuple[str, ...]:
    """What was selected in a control, each once: an emptied one is there with no choice."""
    chosen = [(result.get("value") or {}).get("choices") or [] for result in results if result["from_name"] == control]
    return tuple(dict.fromkeys(str(choice) for choices in chosen for choice in choices))


def _name_annotator(annotation: Json, people: Mapping[int, str]) -> str:
    user = annotation["completed_by"]
    if user is None:
        # Label Studio forgets a deleted user's number, so that nobody can tell two of them from one: never the same.
        return f"deleted user (annotation {annotation['id']})"
    number, email = (user["id"], user.get("email")) if isinstance(user, dict) else (user, None)
    return people.get(number) or email or f"user {number}"


def _read_seconds(value: object) -> float:
    """NaN for what no clock can have measured."""
    measured = isinstance(value, int | float) and 0 <= value < math.inf
    return float(value) if measured else math.nan  # type: ignore[arg-type]


def _time(annotation: Json) -> datetime:
    time = datetime.fromisoformat(annotation.get("updated_at") or annotation["created_at"])
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
