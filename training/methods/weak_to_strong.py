"""What FixMatch and its children share: one joint pass, and a judged guess on the weak view for the strong one."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.methods.method import Judged, Method
from training.methods.state import State, renew
from training.networks.outputs import Outputs


class Passed(NamedTuple):
    """One batch after the pass."""

    labelled: Outputs
    """(B, ...)"""
    weak: Outputs
    """(U, ...)"""
    strong: Outputs
    """(U, ...)"""
    targets: Tensor
    """(U, k) what the strong view is drawn to, without gradient."""
    judged: Judged


def pass_and_judge(method: Method, network: nn.Module, batch: Batch, state: State) -> Passed:
    """Passes all views at once, judges the guesses on the weak view and writes the new state."""
    sizes = [len(batch.images), *(len(view) for view in batch.views)]
    labelled, weak, strong = network(torch.cat([batch.images, *batch.views])).split(sizes)
    guesses = weak.classes.detach().softmax(1)
    judged = method.judge(guesses, batch.unlabelled_rows, state)
    renew(state, judged.state)
    return Passed(labelled, weak, strong, method.target(guesses), judged)
