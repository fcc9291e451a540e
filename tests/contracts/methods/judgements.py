"""How much a loss counts: by the judgement of its guess, by its class, by the progress of the training."""

from dataclasses import fields

import torch
from torch import Tensor

from tests.contracts.methods.gradients import row_gradients
from tests.contracts.methods.planted import (
    DONE,
    Kind,
    copy_state,
    judge,
    judges,
    lived_state,
    planted_batch,
    spread_logits,
    take_step,
    unlabelled_losses,
)
from training.methods.method import Judged, Method, Progress
from training.methods.state import State


def targets_are_no_flatter_than_guesses(method: Method, kind: Kind) -> None:
    guesses = spread_logits(3).softmax(1)
    targets = method.target(guesses)
    assert targets.shape == guesses.shape
    assert targets.min() >= 0
    torch.testing.assert_close(targets.sum(1), torch.ones(len(guesses)))
    assert torch.equal(targets.argmax(1), guesses.argmax(1)), "the target is of another class than the guess"
    entropies = [torch.special.entr(rows).sum(1) for rows in (guesses, targets)]
    assert (entropies[1] <= entropies[0] + 1e-5).all(), "guesses are flattened"


def a_declared_judgement_tells_clear_from_doubtful(method: Method, kind: Kind) -> None:
    """Who overrides `judge` sorts: after a while, certain guesses count fully and those without an idea hardly."""
    state = lived_state(method)
    _, judged = judge(method, planted_batch(method, kind), state)
    counts = judged.counts
    assert counts.shape == (len(spread_logits(0)),)
    assert counts.min() >= 0
    assert counts.max() <= 1
    if judges(method):
        assert counts[-3:].min() > 0.9, "certain guesses do not count"
        assert counts[:2].max() < 0.5, "guesses without an idea count"
    else:
        assert counts.min() == 1


def each_image_counts_as_it_is_judged(method: Method, kind: Kind) -> None:
    """No mask, one of other images, or one that is not declared changes a loss."""
    if not method.learns_unlabelled:
        return
    batch, state = planted_batch(method, kind), lived_state(method)
    _, judged = judge(method, batch, state)
    losses = unlabelled_losses(method, batch, state=copy_state(state))
    if not method.mixes_images:
        learned = row_gradients(losses, batch.views[-1])
        assert learned[judged.counts == 0].sum() == 0, "images learn that do not count"
        assert (learned[judged.counts > 1e-3] > 0).all(), "images do not learn that count"
    if not method.couples_images:
        full = unlabelled_losses(_judging_all_alike(method), batch, state=copy_state(state))
        torch.testing.assert_close(losses, judged.counts * full)


def _judging_all_alike(method: Method) -> Method:
    class Alike(type(method)):  # type: ignore[misc]
        def judge(self, guesses: Tensor, rows: Tensor, state: State) -> Judged:
            return Judged(torch.ones(len(guesses)), super().judge(guesses, rows, state).state)

    return Alike(**{field.name: getattr(method, field.name) for field in fields(method)})  # type: ignore[arg-type]


def class_weights_weigh_the_labelled_loss(method: Method, kind: Kind) -> None:
    batch = planted_batch(method, kind)
    weights = torch.linspace(0.5, 3, len(batch.images))
    plain, weighted = (take_step(method, place).supervised for place in (batch, batch._replace(class_weights=weights)))
    assert plain.min() > 0
    torch.testing.assert_close(weighted, weights * plain)


def the_unlabelled_loss_grows_as_declared(method: Method, kind: Kind) -> None:
    """A method without a warm-up has its full loss from the first step on."""
    if not method.learns_unlabelled:
        return
    batch = planted_batch(method, kind)
    full = unlabelled_losses(method, batch, DONE)
    shares = []
    for share in (0.0, 0.1, 0.3, 0.7, 1.0):
        progress = Progress(share, share * 2**20)
        shares.append(float(method.warm_up(progress)))
        torch.testing.assert_close(unlabelled_losses(method, batch, progress), shares[-1] * full)
    assert shares == sorted(shares)
    assert shares[-1] == float(method.warm_up(DONE)) == 1
    assert full.max() > 0
