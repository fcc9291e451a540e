"""Every method of METHODS keeps the contract of `training.methods.method`; a new method adds no line here."""

from collections.abc import Callable

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from data.errors import InputError
from training.batches.batch import Batch
from training.losses.dc3 import VARIANTS, dc3_terms, weigh
from training.losses.step import Step
from training.methods import METHODS, build_method
from training.methods.method import Method, Progress
from training.methods.mixmatch import MixMatch
from training.networks import build_network
from training.networks.backbone import frozen_statistics
from training.networks.outputs import Outputs
from training.options import DC3Options, MethodOptions, NetworkOptions

N_CLASSES, N_LABELLED, SIZE = 3, 4, 16
DONE = Progress(1.0, 1024 * 1024)

every_method = pytest.mark.parametrize("name", METHODS)
with_unlabelled_loss = pytest.mark.parametrize("name", [name for name in METHODS if name != "supervised"])


def make_network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network = build_network(NetworkOptions("small"), SIZE, N_CLASSES)
    # confident answers: a method that masks by confidence must have something to learn from
    nn.init.normal_(network.head.weight, std=3.0)
    return network.train()


def make_batch(method: Method, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    n_unlabelled = N_LABELLED * method.unlabelled_ratio
    labels = torch.arange(N_LABELLED) % N_CLASSES

    def images(n: int) -> Tensor:
        return torch.rand(n, 3, SIZE, SIZE, generator=generator) * 2 - 1

    return Batch(
        images(N_LABELLED),
        torch.eye(N_CLASSES)[labels],
        labels,
        torch.ones(N_LABELLED),
        tuple(images(n_unlabelled) for _ in method.views),
    )


def take_step(
    method: Method,
    batch: Batch,
    network: nn.Module,
    teacher: Callable[[Tensor], Outputs] | None = None,
    progress: Progress = DONE,
) -> Step:
    return method.step(network, teacher or network, batch, progress, torch.Generator().manual_seed(1))


def averaged_teacher(network: nn.Module) -> Callable[[Tensor], Outputs]:
    def teach(images: Tensor) -> Outputs:
        with torch.no_grad(), frozen_statistics(network):
            return network(images)

    return teach


@every_method
def test_losses_come_one_number_an_image(name: str) -> None:
    method = METHODS[name]
    step = take_step(method, make_batch(method), make_network(), averaged_teacher(make_network(1)))
    n_unlabelled = N_LABELLED * method.unlabelled_ratio
    assert step.supervised.shape == (N_LABELLED,)
    assert step.unsupervised is None or step.unsupervised.shape == (n_unlabelled,)
    for outputs, n in ((step.labelled, N_LABELLED), (step.unlabelled, n_unlabelled), (step.second, n_unlabelled)):
        if outputs is not None:
            assert [tuple(output.shape) for output in outputs] == [(n, N_CLASSES), (n, 5 * N_CLASSES), (n,)]


@with_unlabelled_loss
def test_unlabelled_loss_is_there_and_reaches_the_student(name: str) -> None:
    method = METHODS[name]
    network = make_network()
    step = take_step(method, make_batch(method), network, averaged_teacher(make_network(1)))
    assert step.unsupervised is not None
    # in a well-known library Mean Teacher compared the student with itself: always zero, for two years
    assert step.unsupervised.max() > 1e-4
    step.unsupervised.sum().backward()
    assert network.head.weight.grad is not None
    assert network.head.weight.grad.abs().sum() > 1e-4


@with_unlabelled_loss
def test_no_gradient_reaches_the_teacher(name: str) -> None:
    method = METHODS[name]
    teacher = make_network(1)
    # without no_grad: if the method forgets to cut the graph, the gradient arrives here
    step = take_step(method, make_batch(method), make_network(), teacher)
    assert step.unsupervised is not None
    step.unsupervised.sum().backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


@with_unlabelled_loss
def test_no_gradient_reaches_the_guess(name: str) -> None:
    """The target of the unlabelled loss is fixed: its gradient is that of the same loss with frozen targets."""
    method = METHODS[name]
    network, calls = make_network(), []
    batch = make_batch(method)

    def forward(images: Tensor) -> Outputs:
        outputs = network(images)
        classes = outputs.classes.detach().clone().requires_grad_()
        calls.append(classes)
        return Outputs(classes, outputs.clusters, outputs.ambiguity)

    class Spy(nn.Module):
        def forward(self, images: Tensor) -> Outputs:
            return forward(images)

    step = method.step(Spy(), forward, batch, DONE, torch.Generator().manual_seed(1))
    assert step.unsupervised is not None
    step.unsupervised.sum().backward()
    rows = sum(int((call.grad.abs().sum(1) > 0).sum()) for call in calls if call.grad is not None)
    n_unlabelled = len(step.unsupervised)
    # exactly one student row an unlabelled image learns; MixMatch fits both of its mixed views
    expected = 2 * n_unlabelled if name == "mixmatch" else n_unlabelled
    assert 0 < rows <= expected


@with_unlabelled_loss
def test_each_image_answers_for_its_own_loss_only(name: str) -> None:
    """Replacing one unlabelled image changes its own loss only: a (U,) loss times a (U, 1) mask would spread it."""
    method = METHODS[name]
    if name == "mixmatch":
        pytest.skip("mix-up mixes every image with another: a change of one may reach its partner")
    network = make_network().eval()  # batch statistics would couple the images
    batch = make_batch(method)
    before = take_step(method, batch, network, averaged_teacher(network)).unsupervised
    changed = tuple(view.clone() for view in batch.views)
    for view in changed:
        view[0] = -view[0] * 0.5
    after = take_step(method, batch._replace(views=changed), network, averaged_teacher(network)).unsupervised
    assert before is not None
    assert after is not None
    torch.testing.assert_close(before[1:], after[1:])


@pytest.mark.parametrize("name", ["fixmatch", "pseudo_label"])
@pytest.mark.parametrize("n_confident", [0, 1, 3, None])
def test_each_image_is_masked_by_its_own_confidence(name: str, n_confident: int | None) -> None:
    """Exactly the confident images count: a (U,) loss times a (U, 1) mask masks none of them."""
    network, batch = make_network().eval(), make_batch(METHODS[name])
    with torch.no_grad():
        network.head.weight.mul_(0.1)  # away from saturation, where a confident image has no loss left
        confidence = network(batch.views[0]).classes.softmax(1).amax(1)
    ranked = confidence.sort(descending=True).values
    threshold = (
        0.0
        if n_confident is None
        else 1.0
        if n_confident == 0
        else float(ranked[n_confident - 1 : n_confident + 1].mean())
    )
    step = take_step(build_method(name, MethodOptions(ssl_threshold=threshold)), batch, network)
    assert step.unsupervised is not None
    assert torch.equal(step.unsupervised > 0, confidence >= threshold)


@pytest.mark.parametrize("name", ["mean_teacher", "pi_model", "pseudo_label"])
def test_warm_up_starts_at_zero_and_is_full_at_forty_percent(name: str) -> None:
    losses = unlabelled_losses(name, [Progress(share, 0) for share in (0.0, 0.2, 0.4, 1.0)])
    assert losses[0].abs().max() == 0
    torch.testing.assert_close(2 * losses[1], losses[2])
    torch.testing.assert_close(losses[2], losses[3])


def test_mixmatch_warms_up_by_images_seen_not_by_share() -> None:
    seen = (0, 512 * 1024, 1024 * 1024, 2048 * 1024)
    losses = unlabelled_losses("mixmatch", [Progress(1.0, n_labelled) for n_labelled in seen])
    assert losses[0].abs().max() == 0
    torch.testing.assert_close(2 * losses[1], losses[2])
    torch.testing.assert_close(losses[2], losses[3])


@pytest.mark.parametrize("beta", [0.5, 0.75, 2.0])
def test_mixmatch_shares_are_those_of_the_beta_distribution(beta: float) -> None:
    """The larger of X and 1 - X, X ~ Beta(beta, beta), by its quantiles over 20,000 draws."""
    shares = MixMatch(beta=beta)._share(20_000, torch.Generator().manual_seed(0))
    assert shares.min() >= 0.5
    for level in (0.1, 0.5, 0.9):
        expected = stats.beta(beta, beta).ppf(0.5 + level / 2)
        assert float(shares.quantile(level)) == pytest.approx(expected, abs=0.01)


def test_mixmatch_refuses_a_beta_that_it_cannot_draw() -> None:
    with pytest.raises(InputError, match=r"beta >= 0\.5, not 0\.3"):
        MixMatch(beta=0.3)


def unlabelled_losses(name: str, stages: list[Progress]) -> list[Tensor]:
    method = METHODS[name]
    found = []
    for progress in stages:
        teacher = averaged_teacher(make_network(1))
        losses = take_step(method, make_batch(method), make_network(), teacher, progress).unsupervised
        assert losses is not None
        found.append(losses)
    return found


@every_method
@pytest.mark.parametrize("variant", VARIANTS)
def test_all_combinations_give_a_finite_gradient(name: str, variant: str) -> None:
    method = METHODS[name]
    network, batch = make_network(), make_batch(method)
    step = take_step(method, batch, network, averaged_teacher(make_network(1)))
    terms = dc3_terms(step, batch.labels, weigh(DC3Options(), VARIANTS[variant]), torch.Generator().manual_seed(0))
    assert set(terms) == {"ssl", "inverse_ce", "ambiguity", "similarity"}
    torch.stack(list(terms.values())).sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


@every_method
def test_only_labelled_pass_moves_the_running_statistics(name: str) -> None:
    """The authors' code; FixMatch keeps the statistics of its joint pass."""
    if name == "fixmatch":
        pytest.skip("FixMatch's authors normalise all views in one pass and keep its statistics")
    method = METHODS[name]
    network, alone = make_network(), make_network()
    batch = make_batch(method)
    take_step(method, batch, network, averaged_teacher(make_network(1)))
    alone(batch.images)
    for norm, expected in zip(network.buffers(), alone.buffers(), strict=True):
        if norm.is_floating_point():
            torch.testing.assert_close(norm, expected)
