"""The first images of CIFAR-10H by name, as files like the whole: few tests on real images need all 10,000."""

import zipfile
from pathlib import Path

import pandas as pd


def write_part(whole: Path, folder: Path, n_images: int, n_voted: int | None = None) -> None:
    """images.zip with so many images, and votes.csv on all or the first `n_voted` of them."""
    votes = pd.read_csv(whole / "votes.csv")
    names = sorted(votes["image"].unique())[:n_images]
    with zipfile.ZipFile(whole / "images.zip") as old, zipfile.ZipFile(folder / "images.zip", "w") as new:
        for name in names:
            new.writestr(name, old.read(name))
    votes[votes["image"].isin(names[:n_voted])].to_csv(folder / "votes.csv", index=False)
