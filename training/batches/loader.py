"""The arrays of a training: its labels drawn, its images where the batches are made."""

import warnings

import numpy as np
import torch
from torch import Tensor

from data.ingest import Dataset
from data.votes.counts import class_weights, majority
from training.batches.feature_views import FeatureViews
from training.batches.feed import TrainingArrays
from training.batches.split import Split, draw_targets
from training.options import SplitOptions

DEVICE_SHARE = 0.25
"""Share of the free GPU memory up to which all images, or all their features, are kept there."""


def prepare(
    dataset: Dataset,
    split: Split,
    options: SplitOptions,
    seed: int,
    device: torch.device,
    features: FeatureViews | None = None,
) -> TrainingArrays:
    """Draws the training labels and puts the images, or features in their place, where the batches are made."""
    counts, names = dataset.counts[split.labelled], [dataset.names[row] for row in split.labelled]
    targets = draw_targets(counts, names, options.labels, seed)
    unlabelled = split.unlabelled
    if options.reuse_labelled:
        unlabelled = np.sort(np.concatenate([split.labelled, split.unlabelled]))
    return TrainingArrays(
        _place_images(dataset.images, device) if features is None else features,
        split.labelled,
        unlabelled,
        torch.from_numpy(targets).float().to(device),
        torch.from_numpy(majority(targets, names, seed)).to(device),
        torch.from_numpy(class_weights(targets)).float().to(device),
    )


def place_views(weak: np.ndarray, strong: np.ndarray | None, device: torch.device) -> FeatureViews:
    """Views (N, V, F) of a bank on the GPU where they fit, else as they lie in their files.

    On a CPU no copy is made: the machine keeps of a mapped file what is read often as long as it has memory to spare.
    """
    tables = [table for table in (weak, strong) if table is not None]
    if _fits(sum(table.nbytes for table in tables), device):
        placed = [torch.from_numpy(np.array(table)).to(device) for table in tables]
    else:
        with warnings.catch_warnings():
            # of arrays that cannot be written: nobody writes to these
            warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
            placed = [torch.from_numpy(table) for table in tables]
    return FeatureViews(*placed)


def _place_images(images: np.ndarray, device: torch.device) -> np.ndarray | Tensor:
    return torch.from_numpy(np.array(images)).to(device) if _fits(images.nbytes, device) else images


def _fits(n_bytes: int, device: torch.device) -> bool:
    return device.type == "cuda" and n_bytes < DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
