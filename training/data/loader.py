"""Batches as a pure function of seed and step, so that a training resumes without stored random states."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.data import augment
from training.data.batch import Batch
from training.data.ingest import Dataset
from training.data.split import Split, SplitOptions, draw_targets
from training.data.votes import class_weights, majority

AUGMENTATIONS = {"weak": augment.weak, "strong": augment.strong}
DEVICE_SHARE = 0.25
"""Share of the free GPU memory up to which all images are kept there."""


class TrainingArrays(NamedTuple):
    """What training may look at: no label of an unlabelled image is in it."""

    images: np.ndarray | Tensor
    """(N, H, W, 3) uint8: a tensor on the GPU when it fits, else the memory map."""
    labelled: np.ndarray
    unlabelled: np.ndarray
    targets: Tensor
    """(len(labelled), k) training labels."""
    labels: Tensor
    """(len(labelled),) class number of each: its target's largest share, ties broken as in the split."""
    class_weights: Tensor
    """(k,) n / (k n_c)."""


@dataclass(frozen=True)
class BatchOptions:
    """Sizes of a batch."""

    batch_size: int = 64
    """Labelled images a step; the paper uses 64, and 8 for Mice Bone."""


def prepare(dataset: Dataset, split: Split, options: SplitOptions, seed: int, device: torch.device) -> TrainingArrays:
    """Draws the training labels and puts the images where the batches are made."""
    counts, names = dataset.counts[split.labelled], [dataset.names[row] for row in split.labelled]
    targets = draw_targets(counts, names, options.labels, seed)
    images: np.ndarray | Tensor = dataset.images
    if device.type == "cuda" and images.nbytes < DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
        images = torch.from_numpy(np.array(images)).to(device)
    return TrainingArrays(
        images,
        split.labelled,
        split.unlabelled,
        torch.from_numpy(targets).float().to(device),
        torch.from_numpy(majority(targets, names, seed)).to(device),
        torch.from_numpy(class_weights(targets)).float().to(device),
    )


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The randomness of one step, a function of seed and step alone."""
    mixed = np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(mixed >> np.uint64(1)))


def load_batch(
    arrays: TrainingArrays,
    views: tuple[str, ...],
    n_labelled: int,
    n_unlabelled: int,
    seed: int,
    step: int,
    generator: torch.Generator,
) -> Batch:
    """The batch of one step: every epoch is a permutation of its part.

    Args:
        views: augmentations of the unlabelled images, names of AUGMENTATIONS.
        generator: draws the augmentations; on the device.
    """
    places = _epoch_rows(len(arrays.labelled), n_labelled, seed, step)
    unlabelled = arrays.unlabelled[_epoch_rows(len(arrays.unlabelled), n_unlabelled, seed + 1, step)]
    device = arrays.targets.device
    images = _take(arrays.images, arrays.labelled[places], device)
    originals = _take(arrays.images, unlabelled, device)
    rows = torch.from_numpy(places).to(device)
    targets = arrays.targets[rows]
    return Batch(
        augment.weak(images, generator),
        targets,
        arrays.labels[rows],
        targets @ arrays.class_weights,
        tuple(AUGMENTATIONS[view](originals, generator) for view in views),
    )


def _take(images: np.ndarray | Tensor, rows: np.ndarray, device: torch.device) -> Tensor:
    if isinstance(images, Tensor):
        return augment.to_unit_range(images[torch.from_numpy(rows).to(device)])
    return augment.to_unit_range(torch.from_numpy(images[rows]).to(device, non_blocking=True))


def _epoch_rows(n_rows: int, n_taken: int, seed: int, step: int) -> np.ndarray:
    """Places `step * n_taken` and on of the endless row of shuffled epochs."""
    first = step * n_taken
    places = np.arange(first, first + n_taken)
    epochs = places // n_rows
    orders = {epoch: np.random.default_rng([seed, int(epoch)]).permutation(n_rows) for epoch in np.unique(epochs)}
    return np.array([orders[epoch][place % n_rows] for epoch, place in zip(epochs, places, strict=True)])
