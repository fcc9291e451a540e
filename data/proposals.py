"""The proposal folder: all that annotators need of a run, in one folder that can be moved to where they work.

proposals.parquet   one row an image (`Proposal`), also as proposals.csv for FiftyOne, Spotlight or a spreadsheet
clusters.csv        one row a cluster (`ClusterRow`): caption and proposed class are there to be edited
images/             the images, each in a format that a browser shows
about.json          run and how good it is, classes, round, seed, share of the control arm
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import pandas as pd

from data.errors import InputError, name_some
from data.tables.reader import read_table
from data.verdicts import Arm
from data.votes.labels import RESERVED

PROPOSALS, CLUSTERS, ABOUT, IMAGES = "proposals.parquet", "clusters.csv", "about.json", "images"
MIXED = RESERVED
"""The proposed class of a cluster that has none: its images are to be judged one by one."""


def is_mixed(name: str) -> bool:
    """Whether a person could take a class's name for the answer `mixed`; on the page both would be buttons."""
    return name.strip().casefold() == MIXED


def refuse_class_mixed(classes: Iterable[str]) -> None:
    """Raises InputError where a class has the answer's name: a cluster of that class would count as undecided."""
    taken = [name for name in classes if is_mixed(name)]
    if taken:
        raise InputError(
            f"No class may be called {taken[0]!r}: {MIXED!r} is what annotators answer where no class fits a cluster. "
            "Rename the class in the votes, train, and propose anew."
        )


@dataclass(frozen=True)
class Origin:
    """Where the proposals come from."""

    model_version: str
    """The MLflow run that proposed."""
    classes: tuple[str, ...]
    round: int
    """Of the relabelling, 1 for the first."""
    control_share: float
    """Share of the images that get no proposal, 0 to 1."""
    seed: int
    format_version: int = 1
    quality: tuple[str, ...] = ()
    """How good the model is, in words (`data.quality`); none in folders of older versions."""


class Proposal(NamedTuple):
    """What the run says of one image; a row of proposals.parquet, its fields the columns."""

    image: str
    """Name, as in the votes."""
    file: str
    """Path below images/, with forward slashes."""
    part: str
    """labelled, unlabelled, validation or test: what the image was to the training."""
    arm: Arm
    """Images of the control arm are judged singly and without a proposal."""
    decision: Literal["class", "cluster"]
    """Certain images get a class, ambiguous ones a cluster."""
    proposal: str
    """The class proposed: argmax p_n of a certain image; that of its cluster (never `mixed`) for an ambiguous one."""
    class_probability: float
    """Of the proposed class, 0 to 1."""
    cluster: str
    """Name of the cluster of an ambiguous image, empty for a certain one."""
    rank: int
    """0 for the most typical image of its class or cluster, counted up."""
    suspect: bool
    """Lies far from its cluster or is better explained by another class: look twice, likely an outlier."""
    ambiguity: float
    """p_a, 0 to 1."""
    gain_per_minute: float
    """Expected gain of asking about this image: the higher, the sooner."""
    x: float
    """Place on the map of all images."""
    y: float
    offered: str = ""
    """The class selected for the image when annotators are asked about it, in the control arm: that would be. The same
    rule for both arms (`fill_offered`), so that they compare like with like; empty where no class is selected."""


class ClusterRow(NamedTuple):
    """One cluster to be reviewed as a whole; a row of clusters.csv."""

    cluster: str
    """Name: its number, with a part (`12.1`, `12.2`) where a large one was split."""
    caption: str
    """Free text that annotators read."""
    proposal: str
    """The class proposed for all members, or `mixed`."""
    size: int
    gain_per_minute: float


class ProposalFolder(NamedTuple):
    """A proposal folder that has been read and checked."""

    folder: Path
    about: Origin
    proposals: pd.DataFrame
    """Columns of `Proposal`, N rows."""
    clusters: pd.DataFrame
    """Columns of `ClusterRow`, as edited."""

    def image_path(self, file: str) -> Path:
        """Where an image lies."""
        return self.folder / IMAGES / file


def write_proposal_tables(folder: Path, about: Origin, proposals: list[Proposal], clusters: list[ClusterRow]) -> None:
    """Writes the tables into `folder`, which holds the images already; about.json, last, makes it a proposal folder."""
    rows = pd.DataFrame(clusters, columns=list(ClusterRow._fields))
    table = fill_offered(pd.DataFrame(proposals, columns=list(Proposal._fields)), rows)
    table.to_parquet(folder / PROPOSALS, index=False)
    table.to_csv(folder / PROPOSALS.replace(".parquet", ".csv"), index=False)
    rows.to_csv(folder / CLUSTERS, index=False)
    (folder / ABOUT).write_text(json.dumps(asdict(about), indent=2) + "\n")


def read_proposal_folder(folder: Path) -> ProposalFolder:
    """Reads a proposal folder with the edits of clusters.csv.

    Raises InputError with every fault: no such folder, damaged file, missing images, unknown or missing
    cluster, unknown class.
    """
    if not (folder / ABOUT).is_file():
        raise InputError(f"{folder} is no folder of proposals: it has no {ABOUT}. `dc3 propose RUN` writes one.")
    try:
        values = json.loads((folder / ABOUT).read_text())
        lists = {"classes": tuple(values["classes"]), "quality": tuple(map(str, values.get("quality", ())))}
        about = Origin(**values | lists)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{folder / ABOUT} cannot be read ({error!r}); run `dc3 propose` again.") from error
    text = ("cluster", "caption", "proposal")
    try:
        proposals = pd.read_parquet(folder / PROPOSALS)
    except (ValueError, OSError) as error:
        raise InputError(f"The tables in {folder} cannot be read ({error}); run `dc3 propose` again.") from error
    # as it comes back from a spreadsheet
    clusters = read_table(folder / CLUSTERS, "Table of clusters", text, ("size", "gain_per_minute")).rows
    faults = _list_faults(folder, about, proposals, clusters)
    if faults:
        raise InputError(f"The proposals in {folder} cannot be used:\n- " + "\n- ".join(faults))
    return ProposalFolder(folder, about, fill_offered(proposals, clusters), clusters)


def fill_offered(proposals: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """The proposals with column `offered`: nothing in it hangs on the arm.

    A certain image is offered its class, an ambiguous one that of its cluster as clusters.csv has it, edits included.
    No class is offered to images of a mixed cluster, nor to its suspects, which come ticked as not belonging.
    """
    of_cluster = clusters.set_index("cluster")["proposal"].replace(MIXED, "").to_dict()
    offered = [
        image.proposal if image.decision == "class" else "" if image.suspect else of_cluster.get(image.cluster, "")
        for image in proposals[["proposal", "decision", "suspect", "cluster"]].itertuples(index=False)
    ]
    return proposals.assign(offered=pd.Series(offered, index=proposals.index, dtype=object))


def _list_faults(folder: Path, about: Origin, proposals: pd.DataFrame, clusters: pd.DataFrame) -> list[str]:
    missing = [name for name in ClusterRow._fields if name not in clusters]
    if missing:
        return [f"{CLUSTERS} lacks the column(s) {name_some(missing)}"]
    faults = []
    known = (*about.classes, MIXED)
    strange = clusters[~clusters["proposal"].isin(known)]
    if len(strange):
        rows = [f"{row.cluster}: {row.proposal!r}" for row in strange.itertuples()]
        faults.append(f"{CLUSTERS} proposes classes that are not known ({name_some(known)}): {name_some(rows)}")
    lost = sorted(set(proposals["cluster"]) - set(clusters["cluster"]) - {""})
    if lost:
        faults.append(f"{CLUSTERS} lacks the cluster(s) {name_some(lost)}: edit captions and proposals, keep the rows")
    twice = clusters["cluster"][clusters["cluster"].duplicated()]
    if len(twice):
        faults.append(f"{CLUSTERS} names the cluster(s) {name_some(list(twice))} twice")
    outside = [file for file in proposals["file"] if ".." in PurePosixPath(file).parts or file.startswith("/")]
    if outside:
        faults.append(f"file(s) outside of {IMAGES}/: {name_some(outside)}")
    gone = [file for file in proposals["file"] if file not in outside and not (folder / IMAGES / file).is_file()]
    if gone:
        faults.append(f"{len(gone)} image(s) missing below {folder / IMAGES}: {name_some(gone)}")
    return faults
