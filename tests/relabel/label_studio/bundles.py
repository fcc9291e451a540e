"""Proposal folders of real CIFAR-10H images, with class names that need escaping everywhere."""

import zipfile
from pathlib import Path

import pandas as pd

from data.proposals import (
    IMAGES,
    ClusterRow,
    Origin,
    Proposal,
    ProposalFolder,
    read_proposal_folder,
    write_proposal_tables,
)

RENAMED = {"automobile": 'Auto "VW", R&D <Co>', "bird": "Vögel; 'süß'", "truck": "a<b>&amp;"}
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CLASSES = tuple(RENAMED.get(name, name) for name in NAMES)
N_CONTROL, N_CERTAIN = 6, 8
MEMBERS = {"0": 6, "1.2": 4, "7": 3}
"""Sizes of the clusters; the last one is proposed as mixed."""


def make_bundle(
    folder: Path, source: Path, round_: int, members: dict[str, int] = MEMBERS, n_certain: int = N_CERTAIN
) -> ProposalFolder:
    """Control arm, certain images and clusters; proposals are what most people said, rounds make folders differ.

    Args:
        folder: to write.
        source: the real data, images.zip and votes.csv.
        round_: of the relabelling.
        members: images of each cluster; the first two are suspects. The last cluster is proposed as mixed.
        n_certain: images with a class.
    """
    votes = pd.read_csv(source / "votes.csv")
    majority = votes.sort_values("votes").drop_duplicates("image", keep="last").set_index("image")["label"]
    names = sorted(majority.index)
    images, proposals = iter(names), []
    (folder / IMAGES / "a & ü").mkdir(parents=True)

    def add(arm: str, cluster: str, rank: int, label: str = "", suspect: bool = False) -> None:
        image = next(images)
        file = f"a & ü/{image}"
        (folder / IMAGES / file).write_bytes(archive.read(image))
        label = label or RENAMED.get(majority[image], majority[image])
        decision = "cluster" if cluster else "class"
        gain = 1.0 / (1 + len(proposals))
        place = (float(len(proposals)), 0.0)
        row = (image, file, "unlabelled", arm, decision, label, 0.75, cluster, rank, suspect, 0.25, gain, *place)
        proposals.append(Proposal(*row))

    labels = dict(zip(members, [CLASSES[1], CLASSES[3], CLASSES[5]], strict=False))
    with zipfile.ZipFile(source / "images.zip") as archive:
        for rank in range(n_certain):
            add("proposal", "", rank)
        for cluster, size in members.items():
            for rank in range(size):
                add("proposal", cluster, rank, labels[cluster], rank < 2)
            add("control", cluster, size, labels[cluster])
        for rank in range(N_CONTROL - len(members)):
            add("control", "", n_certain + rank)
    last = list(members)[-1]
    rows = [
        ClusterRow(cluster, f"mostly {labels[cluster]}", "mixed" if cluster == last else labels[cluster], size, 1.0)
        for cluster, size in members.items()
    ]
    about = Origin("0123456789abcdef0123456789abcdef", CLASSES, round_, 0.1, 0)
    write_proposal_tables(folder, about, proposals, rows)
    return read_proposal_folder(folder)
