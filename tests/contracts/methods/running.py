"""How a step runs: all that is drawn comes from its generator, and no value is read by the host."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.contracts.methods.planted import (
    N_UNLABELLED,
    N_VIEWED,
    SIZES,
    Kind,
    judges,
    lived_state,
    planted_batch,
    spread_logits,
    take_step,
)
from training.methods.method import Method, Progress

READS = ("_local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "unique", "_unique2", "bincount")
"""Operators of torch whose result, or its shape, the host must wait for; a GPU could not capture the step."""


class Watching(TorchDispatchMode):
    """Raises AssertionError where a value is read."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        masks = name.startswith(("index", "_index")) and isinstance(args[1], list | tuple)
        by_mask = masks and any(isinstance(index, Tensor) and index.dtype == torch.bool for index in args[1])
        assert name not in READS, f"the host reads a value ({name})"
        assert not by_mask, "a mask is an index: its shape hangs on values"
        return func(*args, **kwargs or {})


def no_value_is_read_by_the_host(method: Method, kind: Kind) -> None:
    """Progress as tensors, as the captured step has it: an `if` on them is seen as well."""
    batch, state = planted_batch(method, kind), lived_state(method)
    progress = Progress(torch.tensor(0.5), torch.tensor(2.0**19))
    with Watching():
        take_step(method, batch, progress=progress, state=state)


def the_generator_decides_all_that_is_drawn(method: Method, kind: Kind) -> None:
    """Not torch's own state; and what is kept begins alike in every training."""
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        state = dict(method.make_state(SIZES))
        began = {name: values.clone() for name, values in state.items()}
        step = take_step(method, planted_batch(method, kind), state=state)
        found.append([step.supervised, step.unsupervised, *began.values(), *state.values()])
    for first, second in zip(*found, strict=True):
        assert (first is None) is (second is None)
        assert first is None or torch.equal(first, second), "drawn from elsewhere than the generator"


def a_judgement_follows_its_image(method: Method, kind: Kind) -> None:
    """The order within the batch changes neither what counts nor what is kept: guess, row and count belong together."""
    if not judges(method):
        return
    generator = torch.Generator().manual_seed(3)
    state = lived_state(method)
    # from no idea to fairly sure: where all are certain, one image counts as the other
    doubtful = spread_logits(3, N_UNLABELLED)[torch.randperm(N_UNLABELLED, generator=generator)] / 2
    for _ in range(40):
        rows = torch.randperm(N_UNLABELLED, generator=generator)[:N_VIEWED]
        state |= method.judge(doubtful[rows].softmax(1), rows, state).state
    rows = torch.randperm(N_UNLABELLED, generator=generator)[:N_VIEWED]
    guesses = doubtful[rows.flip(0)].softmax(1)
    order = torch.randperm(len(rows), generator=generator)
    first, second = method.judge(guesses, rows, state), method.judge(guesses[order], rows[order], state)
    torch.testing.assert_close(second.counts, first.counts[order], msg="a count belongs to another image")
    for name, values in first.state.items():
        torch.testing.assert_close(second.state[name], values, msg=f"{name} hangs on the order of the batch")
