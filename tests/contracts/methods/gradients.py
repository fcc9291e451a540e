"""Who learns from the unlabelled loss: the student, on the last view, each image from its own guess."""

import torch
from torch import Tensor, nn

from tests.contracts.methods.passes import head_of, make_batch, make_network
from tests.contracts.methods.planted import (
    N_CLASSES,
    Kind,
    Planted,
    judge,
    lived_state,
    planted_batch,
    take_step,
    unlabelled_losses,
)
from training.loop.average import teach_by
from training.methods.method import Method
from training.networks.outputs import Outputs


def row_gradients(losses: Tensor, view: Tensor) -> Tensor:
    """(U,) size of the gradient that each image of a view gets."""
    (gradient,) = torch.autograd.grad(losses.sum(), view, allow_unused=True, retain_graph=True)
    return torch.zeros(len(view)) if gradient is None else gradient.flatten(1).norm(dim=1)


def the_unlabelled_loss_reaches_the_student(method: Method, kind: Kind) -> None:
    if not method.learns_unlabelled:
        return
    network = make_network(kind)
    losses = take_step(method, make_batch(method, kind), network, teach_by(make_network(kind, 1))).unsupervised
    assert losses is not None
    # in a well-known library Mean Teacher compared the student with itself: always zero, for two years
    assert losses.max() > 1e-4
    assert losses.requires_grad, "the unlabelled loss has no gradient"
    losses.sum().backward()
    assert head_of(network).weight.grad is not None
    assert head_of(network).weight.grad.abs().sum() > 1e-4


def no_gradient_reaches_the_teacher(method: Method, kind: Kind) -> None:
    """Without no_grad: if the method forgets to cut the graph, the gradient arrives here."""
    if not method.learns_unlabelled:
        return
    teacher = Planted()
    losses = take_step(method, planted_batch(method, kind), teacher=teacher, state=lived_state(method)).unsupervised
    assert losses is not None
    losses.sum().backward()
    assert teacher.scale.grad is None or teacher.scale.grad == 0


def no_gradient_reaches_the_guess(method: Method, kind: Kind) -> None:
    """Each unlabelled image learns in one row of all passes, a mixture of each view in its own."""
    if not method.learns_unlabelled:
        return
    network, answers = Planted(), []

    class Spy(nn.Module):
        def forward(self, images: Tensor) -> Outputs:
            outputs = network(images)
            answers.append(outputs.classes.detach().clone().requires_grad_())
            return outputs._replace(classes=answers[-1])

    batch = planted_batch(method, kind)
    losses = take_step(method, batch, Spy(), Spy()).unsupervised
    assert losses is not None
    losses.sum().backward()
    learning = sum(int((rows.grad.abs().sum(1) > 0).sum()) for rows in answers if rows.grad is not None)
    assert 0 < learning <= len(losses) * (len(method.views) if method.mixes_images else 1)


def the_last_view_learns_from_the_first(method: Method, kind: Kind) -> None:
    """Swapped, the guess would be made on the strong view, which is the harder one."""
    if not method.learns_unlabelled or method.mixes_images or len(method.views) == 1:
        return
    batch = planted_batch(method, kind)
    losses = unlabelled_losses(method, batch)
    assert row_gradients(losses, batch.views[0]).max() == 0, "the view of the guess learns"
    assert row_gradients(losses, batch.views[-1]).max() > 0, "the view of the student does not learn"


def each_image_answers_for_its_own_loss(method: Method, kind: Kind) -> None:
    """The loss of one image has no gradient at others: a (U,) loss times a (U, 1) mask would spread it."""
    if not method.learns_unlabelled or method.couples_images:
        return
    batch = planted_batch(method, kind)
    losses = unlabelled_losses(method, batch)
    for number in range(0, len(losses), 5):
        gradients = row_gradients(losses[number], batch.views[-1])
        gradients[number] = 0
        assert gradients.max() == 0, f"the loss of image {number} moves other images"


def the_loss_rests_where_the_student_answers_the_target(method: Method, kind: Kind) -> None:
    if not method.learns_unlabelled or method.couples_images or len(method.views) == 1:
        return
    state = lived_state(method)
    batch = planted_batch(method, kind)
    guesses, judged = judge(method, batch, state)
    at_rest = planted_batch(method, kind, last=method.target(guesses).clamp(min=1e-7).log())
    at_guess = planted_batch(method, kind, last=torch.randn(len(guesses), N_CLASSES))
    moved, rested = (
        row_gradients(unlabelled_losses(method, place, state=lived_state(method)), place.views[-1])
        for place in (at_guess, at_rest)
    )
    assert rested.max() < 1e-3 * moved.max(), "the student is drawn to something else than `target`"
    assert (moved[judged.counts > 0.5] > 0).all()
    # a student that fits its own answer rests everywhere
    at_wrong = planted_batch(method, kind, last=method.target(guesses).clamp(min=1e-7).log().roll(1, 1))
    right, wrong = (unlabelled_losses(method, place, state=lived_state(method)) for place in (at_rest, at_wrong))
    clear = (judged.counts > 0.5) & (guesses.amax(1) > 0.6)
    assert ((wrong - right)[clear] > 1e-3 * wrong.max()).all(), "another answer costs no more than the target"
