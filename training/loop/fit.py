"""The training loop, read from top to bottom."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from training.data.loader import BatchOptions, TrainingArrays, load_batch, step_generator
from training.errors import InputError
from training.loop.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from training.loop.runtime import uses_bf16
from training.loop.schedule import OptimiserOptions, build_optimiser, learning_rate
from training.losses.dc3 import DC3Weights, dc3_terms, guide
from training.methods.method import Method, Progress
from training.networks.backbone import frozen_statistics, set_batch_norm_decay
from training.networks.heads import Network
from training.networks.outputs import Outputs


@dataclass(frozen=True)
class LoopOptions:
    """Length of the training and how often it reports."""

    steps: int = 16_384
    """Batches; the paper sees 1024 * 1024 labelled images."""
    evaluate_every: int = 1024
    """Steps between evaluations on the validation part, each with a checkpoint."""
    log_every: int = 20
    """Steps between two records of the losses; NaN and infinity are found then."""


class Losses(NamedTuple):
    """Mean of each term over the last steps."""

    step: int
    terms: dict[str, float]
    images_per_second: float


class NonFiniteError(InputError):
    """A loss or the gradient became NaN or infinite; options mend it."""


def fit(
    network: Network,
    method: Method,
    weights: DC3Weights,
    arrays: TrainingArrays,
    options: LoopOptions,
    batches: BatchOptions,
    optimiser_options: OptimiserOptions,
    *,
    seed: int,
    device: torch.device,
    precision: str,
    checkpoint: Path,
    on_losses: Callable[[Losses], None],
    on_eval: Callable[[int, Network], None],
    show_progress: bool = True,
) -> Network:
    """Trains, or goes on from `checkpoint`, and returns the averaged network.

    Args:
        on_losses: gets the loss terms every `log_every` steps.
        on_eval: gets the step and the averaged network every `evaluate_every` steps and at the end.

    Raises:
        NonFiniteError: names the step and the term; no checkpoint is written after it.
    """
    bf16 = uses_bf16(precision, device)
    # channels_last pays only together with bf16 units; in float32 on CPU it was slower
    network.to(device)
    network.to(memory_format=torch.channels_last if bf16 else torch.contiguous_format)
    set_batch_norm_decay(network, optimiser_options.batch_norm_decay)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(optimiser_options.ema_decay), use_buffers=False)
    average.requires_grad_(False)
    optimiser = build_optimiser(network, optimiser_options)
    first = 0
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, device)
        network.load_state_dict(state.network)
        average.load_state_dict(state.average)
        optimiser.load_state_dict(state.optimiser)
        first = state.step
    network.train()
    average.train()
    teach = _teacher(average)
    pending: list[tuple[int, dict[str, Tensor]]] = []
    n_unlabelled = batches.batch_size * method.unlabelled_ratio
    bar = tqdm(total=options.steps, initial=first, unit="step", disable=not show_progress, mininterval=1.0)
    for step in range(first, options.steps):
        progress = Progress(step / options.steps, step * batches.batch_size)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(optimiser_options.lr, progress.share)
        generator = step_generator(seed, step, device)
        batch = load_batch(arrays, method.views, batches.batch_size, n_unlabelled, seed, step, generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            outcome = method.step(network, teach, batch, progress, generator)
            terms = dc3_terms(outcome, batch.labels, guide(weights, progress.share), generator)
        loss = torch.stack(list(terms.values())).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradient = torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
        optimiser.step()
        average.update_parameters(network)
        # values stay on the device until they are read in one go: no wait for the GPU at every step
        pending.append((step, {name: term.detach() for name, term in terms.items()} | {"gradient": gradient.detach()}))
        bar.update()
        done = step + 1
        evaluates = done % options.evaluate_every == 0 or done == options.steps
        if done % options.log_every == 0 or evaluates:
            rate = bar.format_dict["rate"] or 0.0
            on_losses(Losses(done, _mean_terms(pending), rate * batches.batch_size * (1 + method.unlabelled_ratio)))
            pending.clear()
        if evaluates:
            save_checkpoint(
                Checkpoint(done, network.state_dict(), average.state_dict(), optimiser.state_dict()), checkpoint
            )
            on_eval(done, cast(Network, average.module))
            average.train()
    bar.close()
    return cast(Network, average.module.eval())


def _teacher(average: nn.Module) -> Callable[[Tensor], Outputs]:
    """Forward pass of the averaged weights: normalised by the batch as the student is, without gradient."""

    def teach(images: Tensor) -> Outputs:
        with torch.no_grad(), frozen_statistics(average):
            return average(images)

    return teach


def _mean_terms(pending: list[tuple[int, dict[str, Tensor]]]) -> dict[str, float]:
    """Means over the steps, after the check that all are finite."""
    names = list(pending[0][1])
    values = torch.stack([torch.stack(list(terms.values())) for _, terms in pending]).double().cpu()
    for (step, _), row in zip(pending, values.tolist(), strict=True):
        for name, value in zip(names, row, strict=True):
            if not math.isfinite(value):
                raise NonFiniteError(
                    f"Step {step}: {name} is {value}; the training stops and its last checkpoint stays. "
                    "Lower --lr or the weight of that term."
                )
    means = dict(zip(names, values.mean(0).tolist(), strict=True))
    return means | {"loss": sum(value for name, value in means.items() if name != "gradient")}
