"""The prepared data: arrays that travel to the GPU and need no decoder, no registry and no split there."""

import json
from pathlib import Path

import numpy as np

from benchmarks.gpu.prepared import IMAGES, INDEX, SEEDS, SPLITS, VOTES, check_data
from data.ingest import Dataset
from training.batches.split import PARTS, Split, split_images
from training.options import SplitOptions


def write_data(dataset: Dataset, commit: str, folder: Path) -> None:
    """Writes images (N, H, W, 3) uint8, votes (N, k), and the part of each image by seed (S, N), Table 1's shares.

    The index comes last: a folder with an index is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    splits = [split_images(dataset.counts, dataset.names, dataset.classes, SplitOptions(), seed) for seed in SEEDS]
    parts = [[PARTS.index(name) for name in split.part_names(len(dataset.names))] for split in splits]
    np.save(folder / IMAGES, np.ascontiguousarray(dataset.images))
    np.save(folder / VOTES, dataset.counts.astype(np.int32))
    np.save(folder / SPLITS, np.array(parts, np.uint8))
    index = {
        "names": dataset.names,
        "classes": dataset.classes,
        "fingerprint": dataset.fingerprint,
        "seeds": SEEDS,
        "commit": commit,
    }
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def read_data(folder: Path, seed: int) -> tuple[Dataset, Split]:
    """The data set, memory-mapped, and its split by a seed; raises InputError where the folder is not whole."""
    check_data(folder)
    index = json.loads((folder / INDEX).read_text("utf-8"))
    images = np.load(folder / IMAGES, mmap_mode="r")
    votes = np.load(folder / VOTES).astype(np.int64)
    parts = np.load(folder / SPLITS)[index["seeds"].index(seed)]
    split = Split(*(np.flatnonzero(parts == number) for number in range(len(PARTS))))
    names, classes = tuple(index["names"]), tuple(index["classes"])
    return Dataset(images, names, votes, classes, index["fingerprint"], ()), split
