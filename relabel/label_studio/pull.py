"""Answers from Label Studio as one verdict table."""

from typing import Any, NamedTuple

import pandas as pd

from data.errors import InputError, name_some
from data.proposals import ProposalFolder, refuse_class_mixed
from data.verdicts import Verdict, to_table
from relabel.label_studio.answers import Answers, read_answers
from relabel.label_studio.client import Client
from relabel.label_studio.projects import KINDS, Project, find_projects


class Pulled(NamedTuple):
    """All answers to one proposal folder."""

    verdicts: pd.DataFrame
    """Columns of data.verdicts.Verdict."""
    queued: frozenset[str]
    """Images that the next push puts among the single images, unless they are there."""
    left_out: list[str]
    """Answers that do not count, one text each."""


def pull(client: Client, bundle: ProposalFolder) -> Pulled:
    """Reads the answers of all projects; the same answers give the same table.

    Raises InputError when nothing was pushed, a class is called `mixed` or answers are none of the classes, with every
    task at fault.
    """
    refuse_class_mixed(bundle.about.classes)
    projects = find_projects(client, bundle)
    if not projects:
        raise InputError(
            f"{client.url} has no project of {bundle.folder} that this token can see; push the proposals first."
        )
    verdicts: list[Verdict] = []
    queued: frozenset[str] = frozenset()
    left_out: list[str] = []
    faults: list[str] = []
    for kind in KINDS:
        if kind in projects:
            answers = pull_project(client, projects[kind], bundle)
            verdicts += answers.verdicts
            queued |= answers.queued
            left_out += [f"{projects[kind].title!r}: {text}" for text in answers.left_out]
            faults += [f"{projects[kind].title!r}: {text}" for text in answers.faults]
    if faults:
        known = name_some(bundle.about.classes)
        raise InputError(
            f"Answers that are none of the classes {known}; correct them in Label Studio:\n- " + "\n- ".join(faults)
        )
    return Pulled(to_table(verdicts), queued, left_out)


def pull_project(client: Client, project: Project, bundle: ProposalFolder) -> Answers:
    """Reads one project's answers."""
    # The JSON export alone has the origin of a selection; JSON_MIN and CSV drop it.
    tasks: list[dict[str, Any]] = client.get(f"/api/projects/{project.id}/export", exportType="JSON")
    return read_answers(tasks, _list_people(client), bundle, project.kind)


def _list_people(client: Client) -> dict[int, str]:
    """E-mail addresses, which are unique on a server; names are not."""
    return {user["id"]: user["email"] or user["username"] for user in client.get("/api/users/")}
