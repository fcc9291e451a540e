"""One batch, as the feed takes it from the arrays and as a method gets it after augmentation."""

from typing import NamedTuple

from torch import Tensor


class RawBatch(NamedTuple):
    """Rows of the arrays on the device: of the same shapes in every step."""

    images: Tensor
    """(B, H, W, 3) uint8 labelled images; or (B, F) float16, a weak view of each as features."""
    targets: Tensor
    """(B, k) training labels, one-hot or soft."""
    labels: Tensor
    """(B,) class with the largest share of each target, ties broken as in the split."""
    class_weights: Tensor
    """(B,) weight n / (k n_c) of each image's class."""
    unlabelled: Tensor
    """(U, H, W, 3) uint8; or (V, U, F) float16, the views that the method asked for. U is 0 where nobody needs
    unlabelled images."""
    rows: Tensor
    """(B,) int64 place of each labelled image within the labelled part, from 0."""
    unlabelled_rows: Tensor
    """(U,) int64 place of each unlabelled image within the unlabelled part, from 0."""


class Batch(NamedTuple):
    """What the network takes, and the labels of the labelled images.

    That is augmented images (N, 3, H, W) in [-1, 1], or features (N, F) of them where the network is a head alone: a
    method asks for nothing but the first axis.
    """

    images: Tensor
    """(B, ...) labelled images, weakly augmented."""
    targets: Tensor
    """(B, k) training labels, one-hot or soft."""
    labels: Tensor
    """(B,) class with the largest share of each target."""
    class_weights: Tensor
    """(B,) weight n / (k n_c) of each image's class."""
    views: tuple[Tensor, ...]
    """Each (U, ...): the augmentations of the unlabelled images that the method asked for, in its order; none
    for a method that does not learn from them where the DC3 terms do not look at them either."""
    rows: Tensor
    """(B,) int64 place of each labelled image within the labelled part, from 0."""
    unlabelled_rows: Tensor
    """(U,) int64 place of each unlabelled image within the unlabelled part, from 0: where a method keeps what it knows
    of that image. At the border of two epochs, and where the part is smaller than U, a batch holds an image twice."""
