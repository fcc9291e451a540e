"""One batch, as the loader makes it and a method takes it."""

from typing import NamedTuple

from torch import Tensor


class Batch(NamedTuple):
    """Augmented images in [-1, 1] and the labels of the labelled ones."""

    images: Tensor
    """(B, 3, H, W) labelled images, weakly augmented."""
    targets: Tensor
    """(B, k) training labels, one-hot or soft."""
    labels: Tensor
    """(B,) class with the largest share of each target."""
    class_weights: Tensor
    """(B,) weight n / (k n_c) of each image's class."""
    views: tuple[Tensor, ...]
    """Each (U, 3, H, W): the augmentations of the unlabelled images that the method asked for, in its order."""
