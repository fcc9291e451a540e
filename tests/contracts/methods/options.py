"""Each setting of a method does something: one that is read nowhere would be a lie to its users."""

from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

import torch
from torch import Tensor

from data.errors import InputError
from tests.contracts.methods.planted import Kind, lived_state, planted_batch, take_step
from training.methods.method import Method, Progress
from training.methods.state import State


def every_setting_changes_something(method: Method, kind: Kind) -> None:
    """Losses over three steps, from a state that has lived for a while; the ratio is the loop's."""
    usual = three_steps(method, kind, lived_state(method))
    for field in fields(method):  # type: ignore[arg-type]
        if field.name != "unlabelled_ratio":
            other = three_steps(change(method, field.name), kind, lived_state(method))
            assert not torch.equal(usual, other), f"{field.name} changes nothing"


def change(method: Method, name: str) -> Method:
    """The method with half of a number, twice of it where half is refused, or another word."""
    value: Any = getattr(method, name)
    if isinstance(value, str):
        words = get_args(get_type_hints(type(method))[name])
        return replace(method, **{name: next(word for word in words if word != value)})  # type: ignore[type-var]
    try:
        return replace(method, **{name: type(value)(value / 2)})  # type: ignore[type-var]
    except InputError:
        return replace(method, **{name: type(value)(value * 2)})  # type: ignore[type-var]


def three_steps(method: Method, kind: Kind, state: State) -> Tensor:
    losses = []
    for seed in range(3):
        step = take_step(method, planted_batch(method, kind, seed), progress=Progress(0.5, 2.0**19), state=state)
        losses += [part for part in (step.supervised, step.unsupervised) if part is not None]
    return torch.cat(losses).detach()
