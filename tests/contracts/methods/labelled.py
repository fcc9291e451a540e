"""What the labelled images teach, and that the outputs handed on still teach: the DC3 terms live on them."""

import torch

from tests.contracts.methods.passes import head_of, make_batch, make_network
from tests.contracts.methods.planted import N_CLASSES, N_LABELLED, Kind, planted_batch, take_step
from training.batches.batch import Batch
from training.loop.average import teach_by
from training.losses.consistency import cross_entropy
from training.losses.dc3 import VARIANTS, dc3_terms, weigh
from training.methods.method import Method
from training.options import DC3Options


def with_soft_targets(batch: Batch) -> Batch:
    """Targets as the votes are with `--labels soft`: no label alone says what to learn."""
    shares = torch.rand(N_LABELLED, N_CLASSES, generator=torch.Generator().manual_seed(7))
    return batch._replace(targets=shares / shares.sum(1, keepdim=True))


def labelled_images_learn_their_targets(method: Method, kind: Kind) -> None:
    """Cross-entropy to the targets, which are whole distributions; what mixes images has a check of its own."""
    if method.mixes_images:
        return
    batch = with_soft_targets(planted_batch(method, kind))
    step = take_step(method, batch)
    torch.testing.assert_close(step.supervised, cross_entropy(step.labelled.classes, batch.targets))


def the_labelled_loss_reaches_the_student(method: Method, kind: Kind) -> None:
    network = make_network(kind)
    losses = take_step(method, make_batch(method, kind), network, teach_by(make_network(kind, 1))).supervised
    assert losses.requires_grad, "the labelled loss has no gradient"
    losses.sum().backward()
    assert head_of(network).weight.grad is not None
    assert head_of(network).weight.grad.abs().sum() > 1e-4


def every_term_of_dc3_reaches_the_student(method: Method, kind: Kind) -> None:
    """A method that detaches the outputs it hands on leaves DC3 nothing to teach."""
    network, batch = make_network(kind), make_batch(method, kind)
    step = take_step(method, batch, network, teach_by(make_network(kind, 1)))
    for part in (step.labelled, step.unlabelled):
        assert part is not None
        assert all(output.requires_grad for output in part), "outputs are cut from the network"
    weights = weigh(DC3Options(), VARIANTS["dc3"])
    terms = dc3_terms(step, batch.labels, weights, torch.Generator().manual_seed(0))
    for name in ("inverse_ce", "ambiguity", *(["similarity"] if step.second is not None else [])):
        (gradient,) = torch.autograd.grad(terms[name], head_of(network).weight, retain_graph=True)
        assert gradient.abs().sum() > 0, f"{name} teaches nothing"
