"""Proposals to Label Studio: whatever is missing there is added, so that a push that broke off is simply repeated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from data.errors import InputError
from data.proposals import ProposalFolder
from relabel.label_studio.client import Client
from relabel.label_studio.image_links import Links
from relabel.label_studio.project_pages import THUMBNAIL
from relabel.label_studio.projects import (
    KINDS,
    Kind,
    Project,
    check_classes,
    create_project,
    find_projects,
    make_title,
    register_storage,
    set_overlap,
)
from relabel.label_studio.pull import pull_project
from relabel.label_studio.send_tasks import Uploaded, upload
from relabel.label_studio.tasks import Task, check_bundle, cluster_tasks, control_tasks, single_tasks


@dataclass(frozen=True)
class PushOptions:
    """How the projects are set up."""

    links: Links
    title: str = "DC3 round"
    """The projects are called `TITLE 1: single images` and so on, 1 being the round."""
    overlap: int = 1
    """Annotators an image or cluster."""


class Pushed(NamedTuple):
    """What a push did to one project."""

    project: Project
    url: str
    tasks: Uploaded


def push(
    client: Client, bundle: ProposalFolder, options: PushOptions, report: Callable[[Pushed], None] = lambda _: None
) -> list[Pushed]:
    """Makes the projects, adds missing tasks, and queues singly what annotators sent back from clusters.

    Raises InputError before anything is sent when the folder, the options or the projects on the server do not fit.
    """
    check_bundle(bundle)
    for kind in KINDS:
        make_title(options.title, kind, bundle.about)
    if options.overlap < 1:
        raise InputError(f"--overlap must be 1 or more annotators, it is {options.overlap}.")
    found = find_projects(client, bundle)
    check_classes(found, bundle.about.classes)
    pushed = []
    for kind, tasks in _plan_tasks(client, bundle, options.links, found).items():
        project = _prepare(client, bundle, options, kind, found)
        done = Pushed(
            project,
            f"{client.url}/projects/{project.id}",
            upload(client, project, tasks, bundle.about.model_version),
        )
        report(done)
        pushed.append(done)
    return pushed


def _plan_tasks(
    client: Client, bundle: ProposalFolder, links: Links, found: dict[Kind, Project]
) -> dict[Kind, list[Task]]:
    queued = pull_project(client, found["clusters"], bundle).queued if "clusters" in found else frozenset()
    return {
        "single": single_tasks(bundle, links, queued),
        "clusters": cluster_tasks(bundle, links, _are_small(bundle)),
        "control": control_tasks(bundle, links),
    }


def _prepare(
    client: Client, bundle: ProposalFolder, options: PushOptions, kind: Kind, found: dict[Kind, Project]
) -> Project:
    if kind in found:
        project = found[kind]
        if project.overlap != options.overlap:
            set_overlap(client, project, options.overlap)
    else:
        project = create_project(client, bundle, kind, options.title, options.overlap, _are_small(bundle))
    if options.links.storage:
        register_storage(client, project, options.links.storage)
        _check_served(client, bundle, options.links)
    return project


def _check_served(client: Client, bundle: ProposalFolder, links: Links) -> None:
    url = links.url(bundle.proposals["file"].iloc[0])
    response = client.fetch(url)
    kind = response.headers.get("content-type", "")
    if response.status_code != 200 or not kind.startswith("image/"):
        raise InputError(
            f"Label Studio does not hand out {url} ({response.status_code}, {kind}): annotators would see no images. "
            "It needs LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true, and the folder given as --local-files as its "
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; `dc3 label-studio start` sets both."
        )


def _are_small(bundle: ProposalFolder) -> bool:
    """Whether images are smaller than a thumbnail, judged by the first one."""
    with Image.open(bundle.image_path(bundle.proposals["file"].iloc[0])) as image:
        return max(image.size) < THUMBNAIL
