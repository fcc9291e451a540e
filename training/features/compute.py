"""Fills tables of features block by block; the views of the next batch are made while this one is passed through."""

import mmap
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

import numpy as np

from data.errors import InputError, name_some
from data.ingest import Dataset
from training.features.blocks import DTYPE, Blocks
from training.features.earlier import Earlier
from training.features.extractor import Extractor
from training.features.progress import Progress
from training.features.views import STRONG, WEAK, make_views

VIEWS_AT_ONCE = 64
"""At least so many are made together: of 16, the draws and the calls alone would cost a third more."""
OnProgress = Callable[[Progress], None]


class Task(NamedTuple):
    """What one table lacks."""

    kind: str
    table: Blocks
    blocks: tuple[int, ...]
    """To be written, in order."""
    earlier: Earlier

    @property
    def n_views(self) -> int:
        """Of each image."""
        return self.table.shape[1] if self.kind in (WEAK, STRONG) else 1

    @property
    def n_lacking(self) -> int:
        """Views to be computed, or taken from the earlier bank."""
        return sum(len(self.table.rows(block)) for block in self.blocks) * self.n_views


def compute(
    tasks: Sequence[Task],
    total: int,
    dataset: Dataset,
    digests: Sequence[str],
    extractor: Extractor,
    on_progress: OnProgress,
) -> None:
    """Writes all blocks that the tasks lack; `total` counts the views of all tables, what is there included.

    Raises InputError that names the images whose features are not finite or beyond float16; OSError on a full disk.
    """
    done = total - sum(task.n_lacking for task in tasks)
    on_progress(Progress(done, total, extractor.where))
    for task in tasks:
        for n_done in _fill(task, dataset, digests, extractor):
            done += n_done
            on_progress(Progress(done, total, extractor.where))


def _fill(task: Task, dataset: Dataset, digests: Sequence[str], extractor: Extractor) -> Iterator[int]:
    """Fills one table; yields how many views each batch brought."""
    size = max(1, max(extractor.batch_size, VIEWS_AT_ONCE) // task.n_views)

    def split(block: int) -> list[list[int]]:
        rows = [row for row in task.table.rows(block) if digests[row] not in task.earlier.places]
        return [rows[first : first + size] for first in range(0, len(rows), size)]

    def make(rows: list[int]) -> np.ndarray:
        return make_views(np.array(dataset.images[rows]), [digests[row] for row in rows], task.kind, task.n_views)

    with closing(_make_ahead(make, (rows for block in task.blocks for rows in split(block)))) as pixels:
        for block in task.blocks:
            place = task.table.rows(block)
            values = np.empty((len(place), *task.table.shape[1:]), DTYPE)
            known = [row for row in place if digests[row] in task.earlier.places]
            if known:
                values[np.subtract(known, place[0])] = task.earlier.take([digests[row] for row in known])
                yield len(known) * task.n_views
            for rows in split(block):
                features = _embed(extractor, next(pixels), [dataset.names[row] for row in rows])
                values[np.subtract(rows, place[0])] = features.reshape(len(rows), *task.table.shape[1:])
                yield len(features)
            task.table.write(block, values)
            _let_go(dataset.images)


def _make_ahead(
    make: Callable[[list[int]], np.ndarray], batches: Iterable[list[int]]
) -> Generator[np.ndarray, None, None]:
    """`make` of each batch in turn, by a thread that is one batch ahead of who takes them."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[np.ndarray]] = deque()
        for rows in batches:
            waiting.append(pool.submit(make, rows))
            if len(waiting) > 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _embed(extractor: Extractor, pixels: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(n * V, F) features of n images' views, as float16; raises InputError where that cannot hold them."""
    parts = [
        extractor.run(pixels[first : first + extractor.batch_size])
        for first in range(0, len(pixels), extractor.batch_size)
    ]
    features = np.concatenate(parts) if len(parts) > 1 else parts[0]
    with np.errstate(over="ignore"):
        rounded = features.astype(DTYPE)
    bad = [names[row] for row in np.unique(np.nonzero(~np.isfinite(rounded.reshape(len(names), -1)))[0])]
    if bad:
        largest = float(np.abs(features).max())
        raise InputError(
            f"Features must be finite and at most {np.finfo(DTYPE).max:,.0f}, as float16 holds them; those of"
            f" {name_some(bad, 5)} reach {largest:g}. Other images have none of that where the image is damaged: leave"
            " it out. Where many have it, the weights are not those of this network: look to --pretrained, or take"
            " another --network."
        )
    return rounded


def _let_go(images: np.ndarray) -> None:
    """Gives the pages of a memory map back to the system, which keeps them while it has room; values stay.

    Else the process would seem to grow by every image that it has read, and be ended first where memory is short.
    """
    base: object = images
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and not images.flags.writeable and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
