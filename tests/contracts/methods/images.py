"""Methods that mix images: each row of the mixture belongs to the image that prevails in it, with its target."""

import torch
from torch import Tensor

from tests.contracts.methods.planted import N_CLASSES, Planted, planted_batch, take_step
from training.batches.batch import Batch
from training.losses.step import Step
from training.methods.method import Method


def mix(method: Method) -> tuple[Batch, Step, Tensor]:
    """A step over images that carry their number, and the (n, n) share of each image in each mixture."""
    batch, network = planted_batch(method), Planted()
    n_labelled, n_unlabelled = len(batch.images), len(batch.views[0])
    whole = torch.cat([batch.images, *batch.views]).detach()
    numbers = whole[:, 2].flatten(1)
    numbers[:, : len(whole)] = torch.eye(len(whole))
    # the same logits in both views: their mean guess is that of each
    whole[n_labelled + n_unlabelled :, 0] = whole[n_labelled : n_labelled + n_unlabelled, 0]
    views = whole[n_labelled:].split(n_unlabelled)
    batch = batch._replace(images=whole[:n_labelled], views=tuple(views))
    step = take_step(method, batch, network)
    fed = torch.cat([images for images in network.seen if ((images[:, 2] > 0).sum((1, 2)) > 1).any()])
    assert len(fed) == len(whole), "the mixtures are as many as the images"
    return batch, step, fed[:, 2].flatten(1)[:, : len(whole)]


def mixtures_keep_the_image_that_prevails(method: Method) -> None:
    if not method.mixes_images:
        return
    _, _, shares = mix(method)
    assert (shares.diagonal() >= 0.5 - 1e-6).all(), "another image prevails in a mixture"
    torch.testing.assert_close(shares.sum(1), torch.ones(len(shares)))
    assert (shares.diagonal() < 0.99).sum() > len(shares) / 4, "hardly any image is mixed"


def targets_are_mixed_as_their_images(method: Method) -> None:
    """By the labelled rows, whose loss is a cross-entropy: partners are of both kinds."""
    if not method.mixes_images:
        return
    batch, step, shares = mix(method)
    guesses = method.target(batch.views[0][:, 0, 0, :N_CLASSES].softmax(1))
    targets = torch.cat([batch.targets, *(guesses for _ in batch.views)])
    logits = torch.cat([batch.images, *batch.views])[:, 0, 0, :N_CLASSES]
    n_labelled = len(batch.images)
    mixed, wanted = (shares @ values for values in (logits, targets))
    expected = -(wanted * mixed.log_softmax(1)).sum(1)[:n_labelled]
    torch.testing.assert_close(step.supervised, expected, atol=1e-4, rtol=1e-4)
