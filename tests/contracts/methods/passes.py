"""What a step hands on, with a real network."""

import torch
from torch import Tensor, nn

from tests.contracts.methods.planted import IMAGES, N_CLASSES, SIZE, Kind, planted_batch, read, take_step
from training.batches.batch import Batch
from training.loop.average import teach_by
from training.losses.dc3 import VARIANTS, dc3_terms, weigh
from training.methods.method import Method
from training.networks import build_head, build_network
from training.networks.heads import Head, Network
from training.options import DC3Options, NetworkOptions


def make_network(kind: Kind, seed: int = 0) -> nn.Module:
    """For images a whole network, for features a head alone, which has dropout."""
    torch.manual_seed(seed)
    network: nn.Module
    if kind == IMAGES:
        network = build_network(NetworkOptions("small"), SIZE, N_CLASSES)
    else:
        network = build_head(NetworkOptions(dropout=0.1), kind[0], N_CLASSES)
    # confident answers: a method that masks by confidence must have something to learn from
    nn.init.normal_(head_of(network).weight, std=3.0)
    return network.train()


def head_of(network: nn.Module) -> Head:
    """Of a network, or of a head alone itself."""
    head = network.head if isinstance(network, Network) else network
    assert isinstance(head, Head)
    return head


def make_batch(method: Method, kind: Kind) -> Batch:
    """Random images, or features, in the place of planted ones."""
    generator = torch.Generator().manual_seed(0)
    batch = planted_batch(method, kind)

    def images(like: Tensor) -> Tensor:
        return torch.rand(like.shape, generator=generator) * 2 - 1

    return batch._replace(images=images(batch.images), views=tuple(images(view) for view in batch.views))


def losses_come_one_number_an_image(method: Method, kind: Kind) -> None:
    batch = make_batch(method, kind)
    step = take_step(method, batch, make_network(kind), teach_by(make_network(kind, 1)))
    n_labelled, n_unlabelled = len(batch.images), len(batch.views[0])
    assert step.supervised.shape == (n_labelled,)
    assert (step.unsupervised is not None) is method.learns_unlabelled
    assert step.unsupervised is None or step.unsupervised.shape == (n_unlabelled,)
    for outputs, n in ((step.labelled, n_labelled), (step.unlabelled, n_unlabelled), (step.second, n_unlabelled)):
        if outputs is not None:
            assert [tuple(output.shape) for output in outputs] == [(n, N_CLASSES), (n, 5 * N_CLASSES), (n,)]


def outputs_are_those_of_the_views(method: Method, kind: Kind) -> None:
    """The DC3 terms look at whole images: labelled ones, and each view once."""
    batch = planted_batch(method, kind)
    step = take_step(method, batch)
    torch.testing.assert_close(step.labelled.classes, read(batch.images))
    handed = [outputs.classes for outputs in (step.unlabelled, step.second) if outputs is not None]
    views = [read(view) for view in batch.views]
    assert len(handed) == len(views)
    orders = (views, views[::-1])
    assert any(all(torch.equal(one, other) for one, other in zip(handed, order, strict=True)) for order in orders)


def statistics_move_as_declared(method: Method, kind: Kind) -> None:
    """By the labelled pass alone, or by the joint pass of all images where the method has one."""
    network, alone, batch = make_network(kind), make_network(kind), make_batch(method, kind)
    take_step(method, batch, network, teach_by(make_network(kind, 1)))
    alone(torch.cat([batch.images, *batch.views]) if method.passes_jointly else batch.images)
    for norm, expected in zip(network.buffers(), alone.buffers(), strict=True):
        if norm.is_floating_point():
            torch.testing.assert_close(norm, expected)


def gradients_of_all_variants_are_finite(method: Method, kind: Kind) -> None:
    batch = make_batch(method, kind)
    for variant in VARIANTS.values():
        network = make_network(kind)
        step = take_step(method, batch, network, teach_by(make_network(kind, 1)))
        terms = dc3_terms(step, batch.labels, weigh(DC3Options(), variant), torch.Generator().manual_seed(0))
        assert set(terms) == {"ssl", "inverse_ce", "ambiguity", "similarity"}
        torch.stack(list(terms.values())).sum().backward()
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)
        assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0
