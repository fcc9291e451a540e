"""Batches as a pure function of seed and step, so that a training resumes without stored random states.

Needs numpy and torch alone, and never makes the host wait for a GPU.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.batches import augment
from training.batches.batch import Batch, RawBatch
from training.batches.feature_views import FeatureViews, take_views, upload

AUGMENTATIONS = {"weak": augment.weak, "strong": augment.strong}
BLOCK = 256
"""Steps whose row numbers go to the device at once."""


class TrainingArrays(NamedTuple):
    """What training may look at: no label of an unlabelled image is in it."""

    images: np.ndarray | Tensor | FeatureViews
    """(N, H, W, 3) uint8: a tensor on the GPU when it fits, else the memory map; or views of them as features."""
    labelled: np.ndarray
    unlabelled: np.ndarray
    targets: Tensor
    """(len(labelled), k) training labels."""
    labels: Tensor
    """(len(labelled),) class number of each: its target's largest share, ties broken as in the split."""
    class_weights: Tensor
    """(k,) n / (k n_c)."""


def step_seeds(seed: int, step: int) -> tuple[int, int]:
    """Seeds of one step, functions of seed and step alone: of what we draw, and of what modules draw (dropout)."""
    ours, modules = np.random.SeedSequence([seed, step]).generate_state(2, np.uint64) >> np.uint64(1)
    return int(ours), int(modules)


def raw_batches(
    arrays: TrainingArrays, n_labelled: int, n_unlabelled: int, seed: int, steps: range, views: tuple[str, ...] = ()
) -> Iterator[RawBatch]:
    """The raw batch of each step: every epoch is a permutation of its part.

    Args:
        views: names of AUGMENTATIONS, one a view of the unlabelled images; of pixels they are made later.
    """
    device = arrays.targets.device
    class_weights = arrays.targets @ arrays.class_weights
    for block in (steps[first : first + BLOCK] for first in range(0, len(steps), BLOCK)):
        labelled = _epoch_places(len(arrays.labelled), n_labelled, seed, block)
        unlabelled = _epoch_places(len(arrays.unlabelled), n_unlabelled, seed + 1, block)
        rows = np.concatenate([arrays.labelled[labelled], arrays.unlabelled[unlabelled]], 1)
        places, others = upload(labelled, device), upload(unlabelled, device)
        if isinstance(arrays.images, FeatureViews):
            inputs = take_views(arrays.images, rows, n_labelled, views, seed, block, device)
        else:
            inputs = _take_pixels(arrays.images, rows, n_labelled, device)
        for (images, seen), mine, their in zip(inputs, places, others, strict=True):
            yield RawBatch(
                images,
                arrays.targets.index_select(0, mine),
                arrays.labels.index_select(0, mine),
                class_weights.index_select(0, mine),
                seen,
                mine,
                their,
            )


def _take_pixels(
    images: np.ndarray | Tensor, rows: np.ndarray, n_labelled: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """The labelled images of each step, and the unlabelled ones."""
    rows_there = upload(rows, device)
    for number in range(len(rows)):
        if isinstance(images, Tensor):
            taken = images.index_select(0, rows_there[number])
        else:
            taken = upload(images[rows[number]], device)
        yield taken[:n_labelled], taken[n_labelled:]


def augment_batch(
    raw: RawBatch,
    views: tuple[str, ...],
    generator: torch.Generator,
    layout: torch.memory_format = torch.preserve_format,
) -> Batch:
    """Augments labelled images weakly, unlabelled ones as each of `views` says; features are views already.

    Args:
        views: names of AUGMENTATIONS.
        generator: draws the augmentations; on the device.
        layout: of the images; as augmented, the three channels of a pixel lie side by side.
    """
    if raw.images.ndim == 2:
        seen = raw.unlabelled.float().unbind()
        return Batch(
            raw.images.float(), raw.targets, raw.labels, raw.class_weights, seen, raw.rows, raw.unlabelled_rows
        )
    unlabelled = augment.to_unit_range(raw.unlabelled)
    return Batch(
        augment.weak(augment.to_unit_range(raw.images), generator).to(memory_format=layout),
        raw.targets,
        raw.labels,
        raw.class_weights,
        tuple(AUGMENTATIONS[view](unlabelled, generator).to(memory_format=layout) for view in views),
        raw.rows,
        raw.unlabelled_rows,
    )


def _epoch_places(n_rows: int, n_taken: int, seed: int, steps: range) -> np.ndarray:
    """(steps, n_taken) places of the endless row of shuffled epochs: `step * n_taken` and on in each step."""
    if n_taken == 0:
        return np.empty((len(steps), 0), np.int64)
    places = np.arange(steps.start * n_taken, steps.stop * n_taken)
    first, last = places[0] // n_rows, places[-1] // n_rows
    orders = [np.random.default_rng([seed, epoch]).permutation(n_rows) for epoch in range(first, last + 1)]
    return np.concatenate(orders)[places - first * n_rows].reshape(len(steps), n_taken)
