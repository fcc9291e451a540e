"""Pixels are normalised once, as the weights want them, and checkpoints know nothing of it."""

import pytest
import torch

from training.networks.heads import Head, Network
from training.networks.normalisation import SIGNED, Normalisation, Normalise
from training.networks.small import Small

IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_black_and_white_become_what_is_wanted() -> None:
    black, white = torch.full((1, 3, 2, 2), -1.0), torch.ones(1, 3, 2, 2)
    normalise = Normalise(IMAGENET)
    for image, value in ((black, 0.0), (white, 1.0)):
        expected = [(value - mean) / std for mean, std in zip(*IMAGENET, strict=True)]
        assert normalise(image)[0, :, 0, 0].tolist() == pytest.approx(expected)
        assert Normalise(SIGNED)(image) is image, "to the last bit, and without work"


def test_checkpoints_hold_no_normalisation() -> None:
    """Those of runs from before it was the backbone's own affair still load."""
    network = Network(Small(16), Head(128, 3, 15))
    assert not [name for name in network.state_dict() if "normalise" in name]
