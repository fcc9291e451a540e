"""The arrays of a training: its labels drawn, its images where the batches are made."""

import numpy as np
import torch
from torch import Tensor

from data.ingest import Dataset
from data.votes.counts import class_weights, majority
from training.batches.feed import TrainingArrays
from training.batches.split import Split, draw_targets
from training.options import SplitOptions

DEVICE_SHARE = 0.25
"""Share of the free GPU memory up to which all images are kept there."""


def prepare(dataset: Dataset, split: Split, options: SplitOptions, seed: int, device: torch.device) -> TrainingArrays:
    """Draws the training labels and puts the images where the batches are made."""
    counts, names = dataset.counts[split.labelled], [dataset.names[row] for row in split.labelled]
    targets = draw_targets(counts, names, options.labels, seed)
    images: np.ndarray | Tensor = dataset.images
    if device.type == "cuda" and images.nbytes < DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
        images = torch.from_numpy(np.array(images)).to(device)
    unlabelled = split.unlabelled
    if options.reuse_labelled:
        unlabelled = np.sort(np.concatenate([split.labelled, split.unlabelled]))
    return TrainingArrays(
        images,
        split.labelled,
        unlabelled,
        torch.from_numpy(targets).float().to(device),
        torch.from_numpy(majority(targets, names, seed)).to(device),
        torch.from_numpy(class_weights(targets)).float().to(device),
    )
