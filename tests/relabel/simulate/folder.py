"""A small proposal folder for the tests of the simulation: the images are digits, votes and proposals are made up."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits

from data.proposals import (
    MIXED,
    ClusterRow,
    Origin,
    Proposal,
    ProposalFolder,
    read_proposal_folder,
    write_proposal_tables,
)

CLASSES = ("one", "seven", "two")


def write_folder(folder: Path, seed: int = 0, clustered: bool = True) -> ProposalFolder:
    """60 images: 30 certain ones, 20 in cluster 0 (one), 10 in cluster 1 (mixed); every tenth in the control arm."""
    (folder / "images").mkdir(parents=True)
    digits = load_digits().images[:60]
    generator = np.random.default_rng(seed)
    proposals = []
    for row, digit in enumerate(digits):
        file = f"{row:02}.png"
        Image.fromarray((digit * 15).astype(np.uint8)).save(folder / "images" / file)
        cluster = "" if row < 30 or not clustered else "0" if row < 50 else "1"
        proposals.append(
            Proposal(
                image=file,
                file=file,
                part="unlabelled",
                arm="control" if row % 10 == 0 else "proposal",
                decision="cluster" if cluster else "class",
                proposal="one" if cluster else CLASSES[generator.integers(3)],
                class_probability=0.8,
                cluster=cluster,
                rank=row,
                suspect=bool(cluster) and row % 7 == 0,
                ambiguity=0.9 if cluster else 0.1,
                gain_per_minute=0.0,
                x=0.0,
                y=0.0,
            )
        )
    clusters = [ClusterRow("0", "one or seven", "one", 20, 0.0), ClusterRow("1", "anything", MIXED, 10, 0.0)]
    about = Origin("run of the test", CLASSES, round=2, control_share=0.1, seed=seed)
    write_proposal_tables(folder, about, proposals, clusters if clustered else [])
    return read_proposal_folder(folder)


def make_votes(n_votes: int = 10) -> pd.DataFrame:
    """Votes for the 60 images: all agree on the first 30, on the others most say one, some seven."""
    rows = []
    for row in range(60):
        if row < 30:
            rows.append((f"{row:02}.png", CLASSES[row % 3], n_votes))
        else:
            rows += [(f"{row:02}.png", "one", n_votes - 3), (f"{row:02}.png", "seven", 3)]
    return pd.DataFrame(rows, columns=["image", "label", "votes"])
