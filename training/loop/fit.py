"""The training loop, read from top to bottom."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn

from data.errors import InputError
from training.batches.feed import TrainingArrays, raw_batches, step_seeds
from training.loop.average import build_average, teach_by
from training.loop.checkpoint import Checkpoint, load_checkpoint, restore_state, save_checkpoint
from training.loop.graph import GraphedStep
from training.loop.runtime import choose_execution, seed_modules, uses_bf16
from training.loop.schedule import (
    build_optimiser,
    learning_rate,
    restore_optimiser,
    set_learning_rate,
)
from training.loop.step import READINGS, Constants, Step, Trainee, train_step
from training.losses.dc3 import DC3Weights, guide
from training.methods.method import Method, Progress
from training.methods.state import Sizes
from training.networks.backbone import set_batch_norm_decay
from training.options import BatchOptions, Execution, LoopOptions, OptimiserOptions

Trained = TypeVar("Trained", bound=nn.Module)
"""A Network that takes images, or its Head alone where the arrays hold features."""


class Losses(NamedTuple):
    """Mean of each term over the last steps."""

    step: int
    terms: dict[str, float]
    images_per_second: float
    """Labelled and unlabelled ones, each once a step; the time of evaluations is left out."""


class NonFiniteError(InputError):
    """A loss or the gradient became NaN or infinite; options mend it."""


def fit(
    network: Trained,
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
    on_eval: Callable[[int, Trained], None],
    show_progress: bool = True,
    execution: Execution = "auto",
) -> Trained:
    """Trains, or goes on from `checkpoint`, and returns the averaged network.

    Args:
        seed: decides, with the number of a step, all randomness in it; modules such as dropout draw from torch's global
            generators, which are seeded anew at every step.
        on_losses: gets the loss terms every `log_every` steps.
        on_eval: gets the step and the averaged network every `evaluate_every` steps and at the end.
        execution: see RuntimeOptions.

    Raises:
        NonFiniteError: names the step and the term; no checkpoint is written after it.
    """
    execution = choose_execution(execution, device)
    bf16 = uses_bf16(precision, device)
    # channels_last weights pay only together with bf16 units; on CPU, images as they are were 10 % faster in float32
    layout = torch.channels_last if bf16 else torch.contiguous_format
    network.to(device)
    network.to(memory_format=layout)
    set_batch_norm_decay(network, optimiser_options.batch_norm_decay)
    average = build_average(network)
    optimiser = build_optimiser(network, optimiser_options)
    state = method.make_state(Sizes(len(arrays.unlabelled), arrays.targets.shape[1], device))
    first = 0
    if checkpoint.exists():
        kept = load_checkpoint(checkpoint, device)
        network.load_state_dict(kept.network)
        average.load_state_dict(kept.average)
        restore_optimiser(optimiser, kept.optimiser)
        restore_state(state, kept.state, checkpoint)
        first = kept.step
    network.train()
    average.train()
    # where nobody looks at the unlabelled images they are neither taken, augmented nor passed through the network
    views = method.views if method.learns_unlabelled or weights.needs_unlabelled else ()
    n_unlabelled = batches.batch_size * method.unlabelled_ratio if views else 0
    progress = Progress(torch.zeros((), device=device), torch.zeros((), device=device))
    generator = torch.Generator(device)
    take_step = _launch(
        Trainee(
            network,
            teach_by(average),
            average,
            optimiser,
            method,
            views,
            progress,
            generator,
            bf16,
            layout if device.type == "cuda" else torch.preserve_format,
            state,
        ),
        execution,
    )
    pending: list[tuple[int, Tensor]] = []
    bar = _show_bar(options.steps, first) if show_progress else None
    since = time.perf_counter()
    steps = range(first, options.steps)
    feed = raw_batches(arrays, batches.batch_size, n_unlabelled, seed, steps, views)
    for step, batch in zip(steps, feed, strict=True):
        share = step / options.steps
        _set_progress(progress, share, step * batches.batch_size)
        set_learning_rate(optimiser, learning_rate(optimiser_options.lr, share))
        ours, modules = step_seeds(seed, step)
        generator.manual_seed(ours)
        seed_modules(modules, device)
        # the first step's weights are the start of the average
        constants = Constants(guide(weights, share), optimiser_options.ema_decay if step else 0.0)
        # values stay on the device until they are read in one go: no wait for the GPU at every step
        pending.append((step, take_step(batch, constants)))
        if bar is not None:
            bar.update()
        done = step + 1
        evaluates = done % options.evaluate_every == 0 or done == options.steps
        if done % options.log_every == 0 or evaluates:
            means = _mean_terms(pending)
            rate = len(pending) * (batches.batch_size + n_unlabelled) / (time.perf_counter() - since)
            on_losses(Losses(done, means, rate))
            pending.clear()
            since = time.perf_counter()
        if evaluates:
            save_checkpoint(
                Checkpoint(done, network.state_dict(), average.state_dict(), optimiser.state_dict(), dict(state)),
                checkpoint,
            )
            on_eval(done, cast(Trained, average.module))
            average.train()
            since = time.perf_counter()
    if bar is not None:
        bar.close()
    return cast(Trained, average.module.eval())


def _launch(trainee: Trainee, execution: Execution) -> Step:
    """The step as it is launched: kernel by kernel, through compiled networks, as one CUDA graph, or both."""
    if execution.startswith("compiled"):
        teacher = teach_by(cast(nn.Module, torch.compile(trainee.average, dynamic=False)))
        network = cast(nn.Module, torch.compile(trainee.network, dynamic=False))
        trainee = trainee._replace(network=network, teacher=teacher)
    step = partial(train_step, trainee)
    return GraphedStep(step, trainee.generator) if execution.endswith("graph") else step


def _set_progress(progress: Progress, share: float, n_labelled: int) -> None:
    for place, value in zip(progress, (share, n_labelled), strict=True):
        cast(Tensor, place).fill_(value)


def _show_bar(n_steps: int, first: int) -> Any:
    from tqdm import tqdm  # here, not above: a borrowed GPU machine has torch alone

    return tqdm(total=n_steps, initial=first, unit="step", mininterval=1.0)


def _mean_terms(pending: list[tuple[int, Tensor]]) -> dict[str, float]:
    """Means over the steps, after the check that all are finite."""
    values = torch.stack([readings for _, readings in pending]).cpu().double()
    for (step, _), row in zip(pending, values.tolist(), strict=True):
        for name, value in zip(READINGS, row, strict=True):
            if not math.isfinite(value):
                raise NonFiniteError(
                    f"Step {step}: {name} is {value}; the training stops; a checkpoint that was written before stays. "
                    "Lower --lr or the weight of that term."
                )
    means = dict(zip(READINGS, values.mean(0).tolist(), strict=True))
    return means | {"loss": sum(value for name, value in means.items() if name != "gradient")}
