"""Random views of images as features that were computed once: drawn for each batch in the place of augmentations.

Never makes the host wait for a GPU.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class FeatureViews(NamedTuple):
    """Views of all images, in the order of their rows; on the device, or mapped from a file."""

    weak: Tensor
    """(N, V, F) float16, each V of them under another random weak augmentation."""
    strong: Tensor | None = None
    """(N, V, F) float16 under strong ones; None where nobody asks for them."""

    def of_kind(self, kind: str) -> Tensor:
        """(N, V, F) of "weak" or "strong"."""
        table = self.weak if kind == "weak" else self.strong
        assert table is not None, f"the bank is opened with the kinds of views that the method asks for, not {kind}"
        return table


def take_views(
    features: FeatureViews,
    rows: np.ndarray,
    n_labelled: int,
    kinds: tuple[str, ...],
    seed: int,
    steps: range,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each step (B, F) weak views of the labelled images, and (len(kinds), U, F) views of the unlabelled ones.

    Which they are hangs on seed and step alone. The views of an image that are of one kind are different ones as long
    as there are enough.

    Args:
        rows: (steps, B + U) row numbers.
        kinds: "weak" or "strong", one a view.
    """
    first, turn = _draw(rows.shape, seed, steps)
    labelled, unlabelled = np.s_[:, :n_labelled], np.s_[:, n_labelled:]
    places = {"weak": [_place(rows[labelled], first[labelled], features.weak)]}
    for number, kind in enumerate(kinds):
        table = features.of_kind(kind)
        views = _nth_view(first[unlabelled], turn[unlabelled], kinds[:number].count(kind), table.shape[1])
        places.setdefault(kind, []).append(_place(rows[unlabelled], views, table))
    there = {kind: upload(np.concatenate(parts, 1), features.of_kind(kind).device) for kind, parts in places.items()}
    n_unlabelled, width = rows.shape[1] - n_labelled, features.weak.shape[2]
    for number in range(len(steps)):
        taken = {kind: _gather(features.of_kind(kind), index[number], device) for kind, index in there.items()}
        images, taken["weak"] = taken["weak"].split([n_labelled, len(taken["weak"]) - n_labelled])
        views_of = {kind: part.view(kinds.count(kind), n_unlabelled, width) for kind, part in taken.items()}
        if len(views_of) == 1:
            yield images, views_of["weak"]
        else:
            order = enumerate(kinds)
            yield images, torch.stack([views_of[kind][kinds[:place].count(kind)] for place, kind in order])


def upload(values: np.ndarray, device: torch.device) -> Tensor:
    """The values on the device, without a wait for it."""
    tensor = torch.from_numpy(values)
    if device.type == "cuda":
        tensor = tensor.pin_memory()  # from memory that is not pinned, the copy would wait for the GPU
    return tensor.to(device, non_blocking=True)


def _draw(shape: tuple[int, ...], seed: int, steps: range) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays (steps, n) of whole numbers from 0 to 2^32 - 1, functions of seed and number of the step alone."""
    n_drawn = -(-shape[1] // 4) * 4  # Philox draws four numbers at a time, and jumps to any of these
    bits = np.random.Philox(np.random.SeedSequence([seed, 2])).advance(steps.start * n_drawn // 4)
    drawn = bits.random_raw(len(steps) * n_drawn).reshape(len(steps), n_drawn)[:, : shape[1]]
    return (drawn >> np.uint64(32)).astype(np.int64), (drawn & np.uint64(2**32 - 1)).astype(np.int64)


def _nth_view(first: np.ndarray, turn: np.ndarray, earlier: int, n_views: int) -> np.ndarray:
    """View numbers for images that have had `earlier` views of the kind: others than these, where there are others."""
    if not earlier or n_views == 1:
        return first % n_views
    return (first % n_views + 1 + (turn + earlier - 1) % (n_views - 1)) % n_views


def _place(rows: np.ndarray, views: np.ndarray, table: Tensor) -> np.ndarray:
    """Places in a table of (N, V, F) as (N * V, F)."""
    return rows * table.shape[1] + views % table.shape[1]


def _gather(table: Tensor, index: Tensor, device: torch.device) -> Tensor:
    rows = table.flatten(0, 1).index_select(0, index)
    return rows if rows.device == device else upload(rows.numpy(), device)
