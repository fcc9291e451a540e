"""Scripted annotators that answer over a real Label Studio's API, as its page does: a simulation of people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from data.proposals import MIXED
from relabel.label_studio.project_pages import ANCHOR, CLUSTER_CLASS, IMAGE_CLASS, OUTLIERS
from relabel.label_studio.projects import Project
from relabel.label_studio.tasks import ID, MEMBERS, SHOWN
from relabel.simulate.annotators import AnnotatorModel, TimeModel, answer_again, answer_cluster, answer_image


@dataclass(frozen=True)
class ScriptedAnnotator:
    """One annotator: how he decides, how long he takes, and what the real votes on each image were.

    In one round he remembers what he took each member of a cluster for; each annotator needs a `seen` of his own.
    """

    truths: Mapping[str, np.ndarray]
    """Share of the real votes, (k,) an image, by name."""
    classes: tuple[str, ...]
    model: AnnotatorModel
    times: TimeModel
    seen: dict[str, int] = field(default_factory=dict)
    """Class number by image; filled as clusters are answered."""


def answer_all(
    session: httpx.Client, projects: Iterable[Project], annotator: ScriptedAnnotator, generator: np.random.Generator
) -> int:
    """Answers whatever the server hands this user next, until there is no more; returns the number of answers.

    `session` is logged in as the annotator. He sees what the page would show him: the task's data and its
    preselected proposal. His time is drawn from the model of times and sent as the browser's would be.
    """
    n_answers = 0
    for project, task in _stream(session, projects):
        results, seconds = _judge(task, project, annotator, generator)
        predictions = task.get("predictions") or []
        body = {
            "result": results,
            "lead_time": seconds,
            "was_cancelled": False,
            "parent_prediction": predictions[0]["id"] if predictions else None,
        }
        session.post(f"/api/tasks/{task['id']}/annotations/", json=body).raise_for_status()
        n_answers += 1
    return n_answers


def _stream(session: httpx.Client, projects: Iterable[Project]) -> Iterator[tuple[Project, dict[str, Any]]]:
    for project in projects:
        while (task := _next(session, project)) is not None:
            yield project, task


def _next(session: httpx.Client, project: Project) -> dict[str, Any] | None:
    answer = session.get(f"/api/projects/{project.id}/next")
    if answer.status_code == 404:  # nothing is left for this user
        return None
    task: dict[str, Any] = answer.raise_for_status().json()
    return task


def _judge(
    task: Mapping[str, Any], project: Project, annotator: ScriptedAnnotator, generator: np.random.Generator
) -> tuple[list[dict[str, object]], float]:
    data, classes = task["data"], annotator.classes
    shown = classes.index(data[SHOWN]) if data[SHOWN] else None
    if project.kind != "clusters":
        image = str(data[ID])
        if image in annotator.seen:
            single = answer_again(annotator.seen[image], generator, annotator.times)
        else:
            single = answer_image(annotator.truths[image], shown, generator, annotator.model, annotator.times)
        origin = {"accepted": "prediction", "changed": "prediction-changed"}.get(single.outcome, "manual")
        return [_select(IMAGE_CLASS, "image", [classes[single.label]], origin)], single.seconds
    assert shown is not None, "every cluster task has a class"
    members = [member["value"] for member in data[MEMBERS]]
    ticked = _ticked(task)
    suspects = np.array([member in ticked for member in members])
    truths = np.array([annotator.truths[member] for member in members])
    whole = answer_cluster(truths, shown, suspects, generator, annotator.model, annotator.times)
    annotator.seen.update(zip(members, whole.seen.tolist(), strict=True))
    if whole.outcome == "skipped":
        return [_select(CLUSTER_CLASS, ANCHOR, [MIXED], "prediction-changed")], whole.seconds
    origin = "prediction" if whole.outcome == "accepted" else "prediction-changed"
    results = [_select(CLUSTER_CLASS, ANCHOR, [classes[whole.label]], origin)]
    outliers = [member for member, belongs in zip(members, whole.belongs, strict=True) if not belongs]
    if outliers:
        results.append(_select(OUTLIERS, ANCHOR, outliers, "prediction-changed"))
    return results, whole.seconds


def _ticked(task: Mapping[str, Any]) -> set[str]:
    """Members that the proposal ticks as not belonging."""
    results = [result for prediction in task.get("predictions") or [] for result in prediction["result"]]
    return {name for result in results if result["from_name"] == OUTLIERS for name in result["value"]["choices"]}


def _select(control: str, target: str, choices: list[str], origin: str) -> dict[str, object]:
    value = {"choices": choices}
    return {"id": control, "from_name": control, "to_name": target, "type": "choices", "origin": origin, "value": value}
