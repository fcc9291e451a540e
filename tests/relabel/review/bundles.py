"""Proposal folders of real images: what a run could have proposed, from the votes or the true digits."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from data.proposals import ClusterRow, Origin, Proposal, write_proposal_tables

SEED = 7


def write_digits(folder: Path, count: int = 120, control_share: float = 0.1) -> None:
    """Handwritten digits: those of 1, 7 and 8 ambiguous, in a cluster each, that of 8 without a class."""
    digits = load_digits()
    pixels = (digits.images[:count] * 15.9).astype(np.uint8)
    names = [f"digit_{place:03d}.png" for place in range(count)]
    (folder / "images").mkdir(parents=True)
    for name, picture in zip(names, pixels, strict=True):
        Image.fromarray(picture).save(folder / "images" / name)
    true = [str(value) for value in digits.target[:count]]
    ambiguous = np.isin(true, ["1", "7", "8"])
    classes = tuple(str(value) for value in range(10))
    _write(folder, classes, names, np.array(true), ambiguous, pixels.reshape(count, -1), control_share, ("8",))


def write_cifar(folder: Path, source: Path, count: int = 5000) -> None:
    """CIFAR-10H: the class that most annotators chose, clusters of those that a second class got a tenth of."""
    votes = pd.read_csv(source / "votes.csv").pivot_table("votes", "image", "label", fill_value=0)[:count]
    shares = votes.to_numpy() / votes.to_numpy().sum(1, keepdims=True)
    ranked = np.sort(shares, 1)
    classes = tuple(votes.columns)
    (folder / "images").mkdir(parents=True)
    small = []
    with zipfile.ZipFile(source / "images.zip") as archive:
        for name in votes.index:
            data = archive.read(name)
            (folder / "images" / name).write_bytes(data)
            small.append(np.asarray(Image.open(io.BytesIO(data)).resize((8, 8))).ravel())
    best = np.array(classes)[shares.argmax(1)]
    _write(folder, classes, list(votes.index), best, ranked[:, -2] > 0.1, np.array(small), 0.1, ("bird",))


def _write(
    folder: Path,
    classes: tuple[str, ...],
    names: list[str],
    labels: np.ndarray,
    ambiguous: np.ndarray,
    pixels: np.ndarray,
    control_share: float,
    mixed: tuple[str, ...],
) -> None:
    """One cluster a class and 60 images; those of the classes in `mixed` have no proposed class."""
    generator = np.random.default_rng(SEED)
    control = generator.random(len(names)) < control_share
    places = PCA(2, svd_solver="full").fit_transform(pixels - pixels.mean(0))
    gains = generator.random(len(names)).round(3)
    seen: dict[tuple[bool, str], int] = {}
    proposals = []
    for row, name in enumerate(names):
        group = (bool(ambiguous[row]), str(labels[row]))
        rank = seen.get(group, 0)
        seen[group] = rank + 1
        proposals.append(
            Proposal(
                image=name,
                file=name,
                part="unlabelled",
                arm="control" if control[row] else "proposal",
                decision="cluster" if group[0] else "class",
                proposal=group[1],
                class_probability=0.9,
                cluster=f"{group[1]}.{rank // 60}" if group[0] else "",
                rank=rank,
                suspect=bool(group[0] and rank % 60 in (1, 4)),
                ambiguity=0.8 if group[0] else 0.1,
                gain_per_minute=float(gains[row]),
                x=float(places[row, 0]),
                y=float(places[row, 1]),
            )
        )
    clusters = []
    for cluster in sorted({proposal.cluster for proposal in proposals} - {""}):
        label, size = cluster.partition(".")[0], sum(proposal.cluster == cluster for proposal in proposals)
        proposed = "mixed" if label in mixed else label
        clusters.append(ClusterRow(cluster, f"looks like {label}", proposed, size, round(float(generator.random()), 3)))
    write_proposal_tables(folder, Origin("run-1", classes, 1, control_share, SEED), proposals, clusters)
