"""Batches whose images, or features, say how the network answers them, so that a check knows each guess beforehand."""

from functools import cache

import torch
from torch import Tensor, nn

from training.batches.batch import Batch
from training.losses.step import Step
from training.methods.method import Judged, Method, Progress
from training.methods.state import Sizes, State
from training.networks.outputs import Outputs

N_CLASSES, N_LABELLED, N_VIEWED, SIZE = 4, 6, 24, 16
Kind = tuple[int, ...]
"""What the network takes of one image: its shape."""
IMAGES: Kind = (3, SIZE, SIZE)
FEATURES: Kind = (80,)
"""Of a head alone: no fewer than the classes and the rows of a batch together."""
KINDS: dict[str, Kind] = {"images": IMAGES, "features": FEATURES}
N_UNLABELLED = 40
"""Of the whole training; a batch holds N_VIEWED of them."""
DONE = Progress(1.0, 2.0**40)
SIZES = Sizes(N_UNLABELLED, N_CLASSES, torch.device("cpu"))


class Planted(nn.Module):
    """Answers with the first numbers of an image; its one parameter gets the gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Outputs:
        self.seen.append(images.detach())
        logits = read(images) * self.scale
        return Outputs(logits, logits.repeat(1, 5), logits[:, 0])


def plant(logits: Tensor, kind: Kind = IMAGES) -> Tensor:
    """(N, ...) images that are answered with (N, k) logits."""
    images = torch.zeros(len(logits), *kind)
    images.view(len(logits), -1)[:, :N_CLASSES] = logits
    return images


def read(images: Tensor) -> Tensor:
    """The (N, k) logits planted in them."""
    return images.flatten(1)[:, :N_CLASSES]


def spread_logits(seed: int, n: int = N_VIEWED) -> Tensor:
    """(n, k) logits from no idea at all to certain, of all classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(N_CLASSES, (n,), generator=generator)
    noise = 0.3 * torch.randn(n, N_CLASSES, generator=generator)
    return torch.linspace(0, 9, n)[:, None] * torch.eye(N_CLASSES)[labels] + noise


def planted_batch(
    method: Method, kind: Kind = IMAGES, seed: int = 0, first: Tensor | None = None, last: Tensor | None = None
) -> Batch:
    """A batch whose views are leaves; (U, k) logits of the first and of the last view can be given."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(N_LABELLED) % N_CLASSES
    targets = torch.eye(N_CLASSES)[labels]
    logits = [spread_logits(seed) if first is None else first]
    if len(method.views) > 1:
        logits.append(torch.randn(N_VIEWED, N_CLASSES, generator=generator) if last is None else last)
    return Batch(
        plant(
            torch.linspace(0, 4, N_LABELLED)[:, None] * targets + torch.randn(targets.shape, generator=generator), kind
        ),
        targets,
        labels,
        torch.ones(N_LABELLED),
        tuple(plant(view, kind).requires_grad_() for view in logits),
        torch.arange(N_LABELLED),
        torch.randperm(N_UNLABELLED, generator=generator)[:N_VIEWED],
    )


def lived_state(method: Method) -> dict[str, Tensor]:
    """A copy of the state after 2,000 batches in which most guesses are sure, and the first class is guessed most."""
    return copy_state(_live(method))


@cache
def _live(method: Method) -> State:
    state = copy_state(method.make_state(SIZES))
    generator = torch.Generator().manual_seed(5)
    for _ in range(2000 if state else 0):
        labels = (torch.rand(N_VIEWED, generator=generator) ** 1.2 * N_CLASSES).long()
        height = 4 + 4 * torch.rand(N_VIEWED, 1, generator=generator)
        rows = torch.randperm(N_UNLABELLED, generator=generator)[:N_VIEWED]
        state |= method.judge((height * torch.eye(N_CLASSES)[labels]).softmax(1), rows, state).state
    return state


def copy_state(state: State) -> dict[str, Tensor]:
    return {name: values.clone() for name, values in state.items()}


def take_step(
    method: Method,
    batch: Batch,
    network: nn.Module | None = None,
    teacher: nn.Module | None = None,
    progress: Progress = DONE,
    state: State | None = None,
) -> Step:
    """One step; on planted images where no network is given."""
    state = method.make_state(SIZES) if state is None else state
    generator = torch.Generator().manual_seed(1)
    return method.step(network or Planted(), teacher or Planted(), batch, progress, generator, state)


def unlabelled_losses(method: Method, batch: Batch, progress: Progress = DONE, state: State | None = None) -> Tensor:
    losses = take_step(method, batch, progress=progress, state=state).unsupervised
    assert losses is not None, "a method that learns from unlabelled images has an unlabelled loss"
    return losses


def judge(method: Method, batch: Batch, state: State) -> tuple[Tensor, Judged]:
    """The (U, k) guesses that a method makes on the first view, and its judgement."""
    guesses = read(batch.views[0].detach()).softmax(1)
    return guesses, method.judge(guesses, batch.unlabelled_rows, state)


def judges(method: Method) -> bool:
    """Whether it says that some guesses count less than others."""
    return type(method).judge is not Method.judge
