"""What a step on the bank of features costs beside the bare passes of the same head, in milliseconds of one core.

python -m benchmarks.head_step --steps 1000

One process, one thread: after each 20 steps of `fit` the bare passes of 20 steps are run, so that what else the machine
does meets both alike. CPU time (user and system) is counted and the median of the intervals given. Batches of 64
labelled and 64 unlabelled images (7 times as many for FixMatch and its children), 1,280 features, k = 10, k' = 50, four
weak and four strong views of 10,000 images, a linear head with dropout 0.5 as in the preset `cifar10h_features`.

- step: all that `fit` does for one: draws and gathers views, passes, losses, DC3's terms, gradient and its norm, SGD,
  average of the weights, readings.
- same rows: forward and backward, with a cross-entropy, of each row that the method's student passes, and the forward
  pass without gradient of each that its teacher passes. The rows lie there as float32.
- B + U: forward and backward of one row an image alone, however many views of it the method looks at.

On two busy AVX2 cores (load 7, torch 2.14, 500 steps), so that the ratios count and not the milliseconds:

| method, variant | rows with gradient + without | step, ms | same rows, ms | x | B + U, ms | x |
|---|---|---|---|---|---|---|
| supervised, vanilla | 64 + 0 | 1.67 | 0.91 | 1.84 | 1.39 | 1.20 |
| mean_teacher, vanilla | 128 + 64 | 4.60 | 2.42 | 1.91 | 1.84 | 2.50 |
| mean_teacher, dc3 | 128 + 64 | 6.03 | 2.45 | 2.46 | 1.75 | 3.45 |
| pi_model, dc3 | 192 + 0 | 6.86 | 2.75 | 2.50 | 1.87 | 3.66 |
| mixmatch, dc3 | 384 + 0 | 13.41 | 8.07 | 1.66 | 1.67 | 8.01 |
| fixmatch, dc3 | 960 + 0 | 33.13 | 14.67 | 2.26 | 6.96 | 4.76 |

Vanilla is below twice the same rows, DC3 is not: its terms are some sixty operations on a few thousand numbers, forward
and again backward, which each cost their call and not their work (1 ms of the 6). What helped: dropout by 16 bits a
number (3.5 -> 0.45 ms for 192 rows, bare side included), seeding torch without its trace of the caller (0.2 to 1.3 ms),
fused SGD, both inverse cross-entropies as one batch, p_a once, argmax for max. One joint pass of the student
was reckoned not to pay: its product costs what the two cost, and the views must be copied side by side.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.batches.feature_views import FeatureViews
from training.batches.feed import TrainingArrays
from training.loop.fit import fit
from training.losses.dc3 import VARIANTS, weigh
from training.methods import METHODS
from training.networks.heads import Head
from training.options import BatchOptions, DC3Options, LoopOptions, OptimiserOptions

N_IMAGES, N_LABELLED, N_VIEWS, WIDTH, N_CLASSES, N_CLUSTERS, BATCH = 10_000, 2_000, 4, 1280, 10, 50, 64
INTERVAL = 20
"""Steps between two readings of the clock, as `log_every`."""
WARM_INTERVALS = 3
PAIRS = [(method, variant) for method in METHODS for variant in ("vanilla", "dc3")]


class Passes(NamedTuple):
    """Rows that go through the head in one step."""

    with_gradient: int
    without: int


class Times(NamedTuple):
    """Milliseconds."""

    step: float
    same_rows: float
    images: float


def main() -> int:
    """Measures and prints one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=[], help="METHOD/VARIANT")
    parser.add_argument("--dropout", type=float, default=0.5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    arrays = make_arrays()
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, load {os.getloadavg()[0]:.1f};")
    print(f"one thread, {options.steps} steps, dropout {options.dropout}\n")
    print("| method, variant | rows with gradient + without | step, ms | same rows, ms | x | B + U, ms | x |")
    print("|---|---|---|---|---|---|---|")
    for method, variant in PAIRS:
        if options.only and f"{method}/{variant}" not in options.only:
            continue
        passes = record_passes(arrays, method, variant, options.dropout)
        times = measure(arrays, method, variant, options.dropout, options.steps, passes)
        print(
            f"| {method}, {variant} | {passes.with_gradient} + {passes.without} | {times.step:.2f} | "
            f"{times.same_rows:.2f} | {times.step / times.same_rows:.2f} | {times.images:.2f} | "
            f"{times.step / times.images:.2f} |",
            flush=True,
        )
    return 0


def make_arrays() -> TrainingArrays:
    """Features like those after a ReLU and a mean: not negative."""
    generator = torch.Generator().manual_seed(0)
    weak, strong = (torch.rand(N_IMAGES, N_VIEWS, WIDTH, generator=generator).half() for _ in range(2))
    labels = torch.arange(N_LABELLED) % N_CLASSES
    rows = np.arange(N_IMAGES)
    return TrainingArrays(
        FeatureViews(weak, strong),
        rows[:N_LABELLED],
        rows[N_LABELLED:],
        torch.eye(N_CLASSES)[labels],
        labels,
        torch.ones(N_CLASSES),
    )


def make_head(dropout: float) -> Head:
    """As the preset has it."""
    torch.manual_seed(0)
    return Head(WIDTH, N_CLASSES, N_CLUSTERS, 0.6, 0, dropout)


def record_passes(arrays: TrainingArrays, method: str, variant: str, dropout: float) -> Passes:
    """What goes through the head in one step of `fit`, the teacher's passes too."""
    rows = {True: 0, False: 0}

    def record(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        rows[torch.is_grad_enabled()] += len(inputs[0])

    head = make_head(dropout)
    head.register_forward_pre_hook(record)  # the teacher is a copy, hook included
    train(arrays, head, method, variant, 1, lambda: None)
    return Passes(rows[True], rows[False])


def measure(arrays: TrainingArrays, method: str, variant: str, dropout: float, n_steps: int, passes: Passes) -> Times:
    """Medians over the intervals, the three sides in turn."""
    found: list[list[float]] = [[], [], []]
    head = make_head(dropout).train()
    n_images = BATCH * (1 + METHODS[method].unlabelled_ratio)
    sides = [_bare(head, passes), _bare(head, Passes(n_images, 0))]
    since = time.process_time()

    def take_turns() -> None:
        nonlocal since
        found[0].append(time.process_time() - since)
        for side, run in enumerate(sides, 1):
            since = time.process_time()
            for _ in range(INTERVAL):
                run()
            found[side].append(time.process_time() - since)
        since = time.process_time()

    train(arrays, make_head(dropout), method, variant, n_steps, take_turns)
    return Times(*(median(times[WARM_INTERVALS:-1]) * 1000 / INTERVAL for times in found))


def _bare(head: Head, passes: Passes) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(1)
    learned, looked_at = (torch.rand(n, WIDTH, generator=generator) for n in passes)
    labels = torch.arange(len(learned)) % (N_CLASSES + N_CLUSTERS + 1)

    def run() -> None:
        head.zero_grad()
        if len(looked_at):
            with torch.no_grad():
                head(looked_at)
        outputs = head(learned)
        F.cross_entropy(torch.cat([*outputs[:2], outputs.ambiguity[:, None]], 1), labels).backward()

    return run


def train(
    arrays: TrainingArrays, head: Head, method: str, variant: str, n_steps: int, on_interval: Callable[[], None]
) -> None:
    """`fit` as a run of the preset calls it; evaluates at the end alone."""
    with tempfile.TemporaryDirectory() as folder:
        fit(
            head,
            METHODS[method],
            weigh(DC3Options(), VARIANTS[variant]),
            arrays,
            LoopOptions(n_steps, n_steps, INTERVAL),
            BatchOptions(BATCH),
            OptimiserOptions(lr=0.003, ema_decay=0.99),
            seed=0,
            device=torch.device("cpu"),
            precision="float32",
            checkpoint=Path(folder) / "checkpoint.pt",
            on_losses=lambda losses: on_interval(),
            on_eval=lambda step, averaged: None,
            show_progress=False,
        )


if __name__ == "__main__":
    raise SystemExit(main())
