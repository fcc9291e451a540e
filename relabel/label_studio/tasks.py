"""A proposal folder as Label Studio's tasks: single images, whole clusters, and the control arm without proposals."""

import html
import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.proposals import MIXED, ProposalFolder, is_mixed
from relabel.label_studio.image_links import Links
from relabel.label_studio.project_pages import ANCHOR, CLUSTER_CLASS, IMAGE_CLASS, OUTLIERS, THUMBNAIL

ID, SHOWN, MEMBERS = "dc3_id", "proposal", "members"
"""Names in a task's data: what it is found again by, the class that was shown (empty for none), images of a cluster."""
MAX_MEMBERS = 60
"""Images on one page: with 200 a click took 0.9 s."""


class Task(NamedTuple):
    """One page for an annotator."""

    name: str
    """Unique in its project."""
    data: dict[str, object]
    """Variables of the label configuration, as JSON."""
    results: list[dict[str, object]]
    """What is selected before the annotator answers; empty where no proposal is shown."""
    score: float
    """Of the proposal, 0 to 1."""

    def to_json(self, model_version: str) -> dict[str, object]:
        """The task as the import takes it."""
        prediction = {"model_version": model_version, "score": self.score, "result": self.results}
        return {"data": {ID: self.name, **self.data}, "predictions": [prediction] if self.results else []}


def check_bundle(bundle: ProposalFolder) -> None:
    """Raises InputError with every reason why annotators could not be asked.

    The server would take wrong classes without a word and show no proposal (tried: 201 and nothing selected).
    """
    classes, table = bundle.about.classes, bundle.proposals
    faults = []
    bad = [name for name in classes if not _is_showable(name)]
    if bad:
        shown = name_some([repr(name) for name in bad])
        faults.append(f"class names must be printable, without $, without space at the ends, not {MIXED!r}: {shown}")
    if len(set(classes)) < len(classes):
        faults.append(f"class names must differ: {name_some(classes)}")
    wrong = table[~table["proposal"].isin(classes)]
    if len(wrong):
        rows = [f"{row.image}: {row.proposal!r}" for row in wrong.itertuples()]
        faults.append(f"proposals that are none of the classes {name_some(classes)}: {name_some(rows)}")
    lost = table["image"][(table["decision"] == "cluster") & (table["cluster"] == "")]
    if len(lost):
        faults.append(f"ambiguous images without a cluster: {name_some(list(lost))}")
    twice = table["image"][table["image"].duplicated()]
    if len(twice):
        faults.append(f"images that stand there twice: {name_some(list(twice))}")
    if faults:
        raise InputError(f"Nothing was sent. {bundle.folder} cannot be pushed:\n- " + "\n- ".join(faults))


def control_tasks(bundle: ProposalFolder, links: Links) -> list[Task]:
    """Images of the control arm in a random order, with nothing that could tell the proposal."""
    table = bundle.proposals[bundle.proposals["arm"] == "control"]
    order = np.random.default_rng(bundle.about.seed).permutation(len(table))
    return [_ask(row.image, links.url(row.file)) for row in table.iloc[order].itertuples()]


def single_tasks(bundle: ProposalFolder, links: Links, queued: Collection[str]) -> list[Task]:
    """Certain images with their class, most gain per minute first; then, without a proposal, those of mixed clusters
    and those that annotators sent back (`queued`)."""
    table = bundle.proposals[bundle.proposals["arm"] == "proposal"]
    certain = _by_gain(table[table["decision"] == "class"])
    mixed = bundle.clusters["cluster"][bundle.clusters["proposal"] == MIXED]
    unsorted = table[(table["decision"] == "cluster") & (table["cluster"].isin(mixed) | table["image"].isin(queued))]
    return [
        Task(
            row.image,
            {"image": links.url(row.file), SHOWN: row.proposal},
            [_select(IMAGE_CLASS, "image", [row.proposal])],
            float(row.class_probability),
        )
        for row in certain.itertuples()
    ] + [_ask(row.image, links.url(row.file)) for row in _by_gain(unsorted).itertuples()]


def cluster_tasks(bundle: ProposalFolder, links: Links, small: bool) -> list[Task]:
    """Clusters that have a class, most gain per minute first, each on as many pages as `MAX_MEMBERS` asks for."""
    table = bundle.proposals
    table = table[(table["arm"] == "proposal") & (table["decision"] == "cluster")]
    tasks = []
    for cluster in _by_gain(bundle.clusters[bundle.clusters["proposal"] != MIXED]).itertuples():
        members = table[table["cluster"] == cluster.cluster].sort_values(["rank", "image"])
        for name, page in _split(cluster.cluster, members):
            tasks.append(_show_cluster(name, cluster.caption, cluster.proposal, page, links, small))
    return tasks


def _split(cluster: str, members: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    count = math.ceil(len(members) / MAX_MEMBERS)
    for place, rows in enumerate(np.array_split(np.arange(len(members)), count) if count else []):
        yield cluster if count == 1 else f"{cluster} ({place + 1} of {count})", members.iloc[rows]


def _show_cluster(name: str, caption: str, proposal: str, members: pd.DataFrame, links: Links, small: bool) -> Task:
    suspects = list(members["image"][members["suspect"]])
    results = [_select(CLUSTER_CLASS, ANCHOR, [proposal])]
    if suspects:
        results.append(_select(OUTLIERS, ANCHOR, suspects))
    images = [{"value": row.image, "html": _thumbnail(links.url(row.file), small)} for row in members.itertuples()]
    counted = "1 image" if len(members) == 1 else f"{len(members)} images"
    data: dict[str, object] = {
        "summary": f"Cluster {name}: {counted}. {caption}",
        SHOWN: proposal,
        MEMBERS: images,
    }
    return Task(name, data, results, float(members["class_probability"].mean()))


def _thumbnail(url: str, small: bool) -> str:
    # Label Studio strips data: addresses out of this, which is why images need a server.
    pixels = "image-rendering:pixelated;" if small else ""
    style = f"width:{THUMBNAIL}px;height:{THUMBNAIL}px;object-fit:contain;{pixels}"
    return f'<img src="{html.escape(url)}" style="{style}"/>'


def _ask(image: str, url: str) -> Task:
    return Task(image, {"image": url, SHOWN: ""}, [], 0.0)


def _select(control: str, target: str, choices: list[str]) -> dict[str, object]:
    return {
        "id": control,
        "from_name": control,
        "to_name": target,
        "type": "choices",
        "value": {"choices": choices},
    }


def _is_showable(name: str) -> bool:
    # Label Studio takes `$x` for a variable of the task: it showed 'undefined' for it, and no proposal.
    return bool(name) and name == name.strip() and name.isprintable() and "$" not in name and not is_mixed(name)


def _by_gain(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("gain_per_minute", ascending=False, kind="stable")
