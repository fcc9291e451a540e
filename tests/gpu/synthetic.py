"""A small training that needs torch and numpy alone: a borrowed GPU machine has neither MLflow nor pandas."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.batches.batch import RawBatch
from training.batches.feature_views import FeatureViews
from training.batches.feed import TrainingArrays, raw_batches
from training.loop.average import build_average, teach_by
from training.loop.fit import Losses, fit
from training.loop.schedule import build_optimiser
from training.loop.step import Trainee
from training.losses.dc3 import VARIANTS, DC3Weights, weigh
from training.methods import METHODS
from training.methods.method import Progress
from training.methods.state import Sizes
from training.networks.backbone import Backbone
from training.networks.heads import Head, Network
from training.networks.small import Small
from training.options import BatchOptions, DC3Options, LoopOptions, OptimiserOptions

SIZE, N_CLASSES, BATCH, N_FEATURES = 16, 3, 8, 32
CPU = torch.device("cpu")
CALM = OptimiserOptions(lr=0.003)


class Dropping(Backbone):
    """The small backbone with dropout, which draws from torch's own generators."""

    def __init__(self) -> None:
        super().__init__()
        self.small = Small(SIZE)
        self.width = self.small.width

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.dropout(self.small(images), 0.3, self.training)


def weights_of(variant: str) -> DC3Weights:
    return weigh(DC3Options(), VARIANTS[variant])


def make_arrays(device: torch.device) -> TrainingArrays:
    """60 random images, 20 of them labelled; on a GPU all of them lie there."""
    images = np.random.default_rng(0).integers(0, 256, (60, SIZE, SIZE, 3), dtype=np.uint8)
    labelled = np.arange(20)
    labels = torch.from_numpy(labelled % N_CLASSES).to(device)
    return TrainingArrays(
        images if device.type == "cpu" else torch.from_numpy(images).to(device),
        labelled,
        np.arange(20, 60),
        torch.eye(N_CLASSES, device=device)[labels],
        labels,
        torch.tensor([1.0, 2.0, 0.5], device=device),
    )


def make_feature_arrays(device: torch.device) -> TrainingArrays:
    """The same with three weak and three strong views of 32 features in the place of each image."""
    generator = torch.Generator().manual_seed(0)
    weak, strong = (torch.rand(60, 3, N_FEATURES, generator=generator).half().to(device) for _ in range(2))
    return make_arrays(device)._replace(images=FeatureViews(weak, strong))


def make_trainee(
    method: str,
    device: torch.device,
    views: tuple[str, ...] | None = None,
    layout: torch.memory_format = torch.preserve_format,
) -> Trainee:
    torch.manual_seed(0)
    network = Network(Small(SIZE), Head(128, N_CLASSES, 5 * N_CLASSES))
    # confident answers: what masks by confidence must have something to learn from
    nn.init.normal_(network.head.weight, std=1.0)
    network.to(device).train()
    average = build_average(network).train()
    # a teacher of its own: as a copy of the student it would agree in the first step
    for parameter in average.parameters():
        parameter.mul_(0.9)
    return Trainee(
        network,
        teach_by(average),
        average,
        build_optimiser(network, OptimiserOptions()),
        METHODS[method],
        METHODS[method].views if views is None else views,
        Progress(torch.full((), 0.3, device=device), torch.full((), 1e5, device=device)),
        torch.Generator(device),
        False,
        layout,
        METHODS[method].make_state(Sizes(40, N_CLASSES, device)),
    )


def make_raw(method: str, device: torch.device) -> RawBatch:
    n_unlabelled = BATCH * METHODS[method].unlabelled_ratio
    return next(raw_batches(make_arrays(device), BATCH, n_unlabelled, 0, range(1)))


def put_head_on(backbone: Backbone) -> Network:
    """A network with a fresh head."""
    return Network(backbone, Head(backbone.width, N_CLASSES, 5 * N_CLASSES))


def train(
    checkpoint: Path,
    device: torch.device = CPU,
    *,
    method: str = "mean_teacher",
    variant: str = "dc3",
    backbone: Callable[[], Backbone] = lambda: Small(SIZE),
    loop: LoopOptions | None = None,
    optimiser: OptimiserOptions = CALM,
    record: list[Losses] | None = None,
    on_eval: Callable[[int, Network], None] = lambda step, network: None,
    execution: str = "auto",
) -> Network:
    """`fit` on the random images; raises what `record.append` raises."""
    torch.manual_seed(0)
    return fit(
        put_head_on(backbone()),
        METHODS[method],
        weights_of(variant),
        make_arrays(device),
        loop or LoopOptions(8, 4, 1),
        BatchOptions(BATCH),
        optimiser,
        seed=0,
        device=device,
        precision="float32",
        checkpoint=checkpoint,
        on_losses=(record if record is not None else []).append,
        on_eval=on_eval,
        show_progress=False,
        execution=execution,
    )


def train_head(
    checkpoint: Path,
    device: torch.device = CPU,
    *,
    method: str = "mean_teacher",
    variant: str = "dc3",
    loop: LoopOptions | None = None,
    record: list[Losses] | None = None,
    execution: str = "auto",
) -> Head:
    """`fit` of a head with dropout on the random features."""
    torch.manual_seed(0)
    return fit(
        Head(N_FEATURES, N_CLASSES, 5 * N_CLASSES, dropout=0.3),
        METHODS[method],
        weights_of(variant),
        make_feature_arrays(device),
        loop or LoopOptions(8, 4, 1),
        BatchOptions(BATCH),
        CALM,
        seed=0,
        device=device,
        precision="float32",
        checkpoint=checkpoint,
        on_losses=(record if record is not None else []).append,
        on_eval=lambda step, head: None,
        show_progress=False,
        execution=execution,
    )


class CutAt(list[Losses]):
    """Breaks a training off at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def append(self, losses: Losses) -> None:
        if losses.step == self.step:
            raise InterruptedError
        super().append(losses)
