"""What a method keeps from step to step: tensors that are changed where they are."""

import torch
from torch import Tensor

from tests.contracts.methods.planted import (
    N_UNLABELLED,
    SIZES,
    Kind,
    copy_state,
    judge,
    judges,
    lived_state,
    planted_batch,
    take_step,
)
from training.methods.method import Method


def a_state_is_made_of_tensors_of_its_own(method: Method, kind: Kind) -> None:
    """Two trainings do not share one, and two of its tensors not their place."""
    first, second = method.make_state(SIZES), method.make_state(SIZES)
    assert first.keys() == second.keys()
    places = [values.data_ptr() for state in (first, second) for values in state.values()]
    assert len(set(places)) == len(places)
    for values in (*first.values(), *second.values()):
        assert isinstance(values, Tensor)
        assert not values.requires_grad
        assert values.device == SIZES.device


def a_state_is_changed_in_place(method: Method, kind: Kind) -> None:
    """A captured step finds its tensors where they were; a state that nothing changes is none."""
    state = dict(method.make_state(SIZES))
    before, places = copy_state(state), {name: values.data_ptr() for name, values in state.items()}
    for seed in range(3):
        take_step(method, planted_batch(method, kind, seed), state=state)
    assert {name: values.data_ptr() for name, values in state.items()} == places, "a tensor was replaced"
    for name, values in state.items():
        assert not values.requires_grad
        assert values.dtype == before[name].dtype
        assert torch.isfinite(values).all()
        assert not torch.equal(values, before[name]), f"{name} stays as it was made"


def a_step_writes_what_was_judged(method: Method, kind: Kind) -> None:
    """And the judgement itself writes nothing."""
    if not judges(method):
        return
    batch, state = planted_batch(method, kind), lived_state(method)
    before = copy_state(state)
    _, judged = judge(method, batch, state)
    assert all(torch.equal(values, before[name]) for name, values in state.items()), "`judge` writes into the state"
    expected = before | copy_state(judged.state)
    take_step(method, batch, state=state)
    for name, values in state.items():
        torch.testing.assert_close(values, expected[name], msg=f"{name} is not what was judged")


def an_image_keeps_its_place_in_the_state(method: Method, kind: Kind) -> None:
    """What is kept of each unlabelled image changes for those of the batch alone, also where one is there twice."""
    batch, state, before = planted_batch(method, kind), lived_state(method), lived_state(method)
    rows = batch.unlabelled_rows.clone()
    rows[0] = rows[1]
    outside = torch.ones(N_UNLABELLED, dtype=torch.bool)
    outside[rows] = False
    take_step(method, batch._replace(unlabelled_rows=rows), state=state)
    for name, kept in state.items():
        if kept.shape[:1] == (N_UNLABELLED,):
            assert torch.equal(kept[outside], before[name][outside]), f"{name} of other images changed"
            assert not torch.equal(kept, before[name])
