"""Methods that mix images: each row of the mixture belongs to the image that prevails in it, with its target."""

import torch
from torch import Tensor

from tests.contracts.methods.planted import Kind, Planted, planted_batch, read, take_step
from training.batches.batch import Batch
from training.losses.step import Step
from training.methods.method import Method


def mix(method: Method, kind: Kind) -> tuple[Batch, Step, Tensor]:
    """A step over images that carry their number, and the (n, n) share of each image in each mixture."""
    batch, network = planted_batch(method, kind), Planted()
    n_labelled, n_unlabelled = len(batch.images), len(batch.views[0])
    whole = torch.cat([batch.images, *batch.views]).detach()
    # the same logits in both views: their mean guess is that of each
    whole[n_labelled + n_unlabelled :] = whole[n_labelled : n_labelled + n_unlabelled]
    whole.view(len(whole), -1)[:, -len(whole) :] = torch.eye(len(whole))
    views = whole[n_labelled:].split(n_unlabelled)
    batch = batch._replace(images=whole[:n_labelled], views=tuple(views))
    step = take_step(method, batch, network)
    numbers = [images.flatten(1)[:, -len(whole) :] for images in network.seen]
    shares = torch.cat([rows for rows in numbers if ((rows > 0).sum(1) > 1).any()])
    assert len(shares) == len(whole), "the mixtures are as many as the images"
    return batch, step, shares


def mixtures_keep_the_image_that_prevails(method: Method, kind: Kind) -> None:
    if not method.mixes_images:
        return
    _, _, shares = mix(method, kind)
    assert (shares.diagonal() >= 0.5 - 1e-6).all(), "another image prevails in a mixture"
    torch.testing.assert_close(shares.sum(1), torch.ones(len(shares)))
    assert (shares.diagonal() < 0.99).sum() > len(shares) / 4, "hardly any image is mixed"


def targets_are_mixed_as_their_images(method: Method, kind: Kind) -> None:
    """By the labelled rows, whose loss is a cross-entropy: partners are of both kinds."""
    if not method.mixes_images:
        return
    batch, step, shares = mix(method, kind)
    guesses = method.target(read(batch.views[0]).softmax(1))
    targets = torch.cat([batch.targets, *(guesses for _ in batch.views)])
    logits = read(torch.cat([batch.images, *batch.views]))
    n_labelled = len(batch.images)
    mixed, wanted = (shares @ values for values in (logits, targets))
    expected = -(wanted * mixed.log_softmax(1)).sum(1)[:n_labelled]
    torch.testing.assert_close(step.supervised, expected, atol=1e-4, rtol=1e-4)
