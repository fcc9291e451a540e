"""The three projects of a proposal folder, made once and found again by a mark in their description."""

import hashlib
import json
from dataclasses import asdict
from typing import Literal, NamedTuple, get_args

import pandas as pd

from data.errors import InputError, name_some
from data.proposals import Origin, ProposalFolder
from relabel.label_studio.client import Client
from relabel.label_studio.project_pages import CLUSTER_CLASS, IMAGE_CLASS, cluster_config, image_config

Kind = Literal["single", "clusters", "control"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MAX_TITLE = 50
"""Label Studio's limit."""
_NAMES: dict[Kind, str] = {"single": "single images", "clusters": "clusters", "control": "no proposals"}
_TEXTS: dict[Kind, str] = {
    "single": "Single images. Where a class is selected already, submit it or choose another.",
    "clusters": "Clusters. Submit the selected class or choose another; click the images that do not belong.",
    "control": "Single images without proposals, to measure agreement against.",
}
_ANSWERED = "id,title,description,maximum_annotations,parsed_label_config"
_FIELDS = ("image", "arm", "decision", "cluster", "proposal")


class Project(NamedTuple):
    """A project on the server."""

    id: int
    kind: Kind
    title: str
    overlap: int
    """Annotators an item."""
    classes: tuple[str, ...]
    """That annotators can choose."""


def make_key(bundle: ProposalFolder) -> str:
    """Name of the folder's content, 12 hexadecimal digits; moving it or editing clusters.csv leaves it as it is."""
    rows = pd.util.hash_pandas_object(bundle.proposals[list(_FIELDS)], index=False).to_numpy()
    about = json.dumps(asdict(bundle.about), sort_keys=True)
    return hashlib.sha256(about.encode() + rows.tobytes()).hexdigest()[:12]


def make_title(title: str, kind: Kind, about: Origin) -> str:
    """What annotators see; raises InputError where Label Studio would refuse it."""
    full = f"{title} {about.round}: {_NAMES[kind]}"
    if not title.strip() or len(full) > MAX_TITLE:
        rest = MAX_TITLE - len(full) + len(title)
        raise InputError(f"--project-title must have 1 to {rest} characters, {title!r} has {len(title)}.")
    return full


def find_projects(client: Client, bundle: ProposalFolder) -> dict[Kind, Project]:
    """The projects that were made for this folder; raises InputError when one was made twice."""
    marks = {_mark(bundle, kind): kind for kind in KINDS}
    found: dict[Kind, list[Project]] = {}
    for answer in client.pages("/api/projects", page_size=100, include=_ANSWERED):
        for mark, kind in marks.items():
            if mark in (answer["description"] or ""):
                found.setdefault(kind, []).append(_read(answer, kind))
    double = [project for projects in found.values() if len(projects) > 1 for project in projects]
    if double:
        names = [f"{project.title!r} (project {project.id})" for project in double]
        raise InputError(f"Projects must be there once; delete the emptier of each: {name_some(names)}.")
    return {kind: projects[0] for kind, projects in found.items()}


def create_project(
    client: Client, bundle: ProposalFolder, kind: Kind, title: str, overlap: int, small: bool
) -> Project:
    """Makes the project of a kind; `small` images are enlarged."""
    classes = bundle.about.classes
    config = cluster_config(classes) if kind == "clusters" else image_config(classes, small)
    answer = client.post(
        "/api/projects/",
        {
            "title": make_title(title, kind, bundle.about),
            "description": f"{_TEXTS[kind]} {_mark(bundle, kind)}",
            "label_config": config,
            "maximum_annotations": overlap,
            "sampling": "Sequential sampling",
            # The control arm: a project of its own, because this switch is the project's.
            "show_collab_predictions": kind != "control",
            "enable_empty_annotation": False,
        },
    )
    return _read(answer, kind)


def set_overlap(client: Client, project: Project, overlap: int) -> None:
    """Changes how many annotators an item gets, also for those that are there."""
    client.patch(f"/api/projects/{project.id}/", {"maximum_annotations": overlap})


def register_storage(client: Client, project: Project, path: str) -> None:
    """Lets a project hand out the images below a folder of the server."""
    there = client.get("/api/storages/localfiles/", project=project.id)
    if not any(storage["path"] == path for storage in there):
        body = {"project": project.id, "path": path, "use_blob_urls": True, "title": "DC3 images"}
        client.post("/api/storages/localfiles/", body)


def check_classes(projects: dict[Kind, Project], classes: tuple[str, ...]) -> None:
    """Raises InputError where annotators could not choose a class: then a proposal of it would not be shown."""
    faults = []
    for project in projects.values():
        lost = [name for name in classes if name not in project.classes]
        if lost:
            faults.append(f"{project.title!r} (project {project.id}) lacks {name_some(lost)}")
    if faults:
        raise InputError("The labelling interface was changed; put the classes back:\n- " + "\n- ".join(faults))


def _mark(bundle: ProposalFolder, kind: Kind) -> str:
    return f"[dc3 {make_key(bundle)} {kind}]"


def _read(answer: dict, kind: Kind) -> Project:
    control = CLUSTER_CLASS if kind == "clusters" else IMAGE_CLASS
    labels = answer["parsed_label_config"].get(control, {}).get("labels", [])
    return Project(answer["id"], kind, answer["title"], answer["maximum_annotations"], tuple(labels))
