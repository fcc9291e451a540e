"""The bank of features: what a frozen backbone says of each image and of its random views, computed once.

Rows are those of the data set. A bank hangs on the images, how they were read, the stored size, and the frozen part of
the network with its weights (`training.features.key`); not on votes or a run's seed, so that all runs and all rounds
on the same images share one. Its folder, `cache/KEY`, holds `index.json` (what went into the key), `images.txt` (the
digest of each row's image), and for each kind of view a .npy file with its checksums.
"""

import errno
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from data.errors import InputError
from data.ingest import Dataset
from training.features.blocks import Blocks
from training.features.compute import OnProgress, Task, compute
from training.features.earlier import DIGESTS, INDEX, NOTHING, find_earlier
from training.features.extractor import build_extractor
from training.features.key import describe, identify_images, name_key
from training.features.lock import alone
from training.features.progress import Progress
from training.features.views import MIRRORED, PLAIN, STRONG, WEAK
from training.networks.heads import Network


class Bank(NamedTuple):
    """Features of N images, memory-mapped float16."""

    plain: np.ndarray
    """(N, F), of the images as they are."""
    weak: np.ndarray | None
    """(N, V, F), of V weak views each; None where nobody asked for them."""
    strong: np.ndarray | None
    """(N, V, F), of V strong views each; None where nobody asked for them."""
    mirrored: np.ndarray | None = None
    """(N, F), of the mirror images; None where nobody asked for them."""

    @property
    def predicting(self) -> tuple[np.ndarray, ...]:
        """Each (N, F): what an image is predicted by the mean of."""
        return (self.plain,) if self.mirrored is None else (self.plain, self.mirrored)


def open_bank(
    network: Network,
    dataset: Dataset,
    cache: Path,
    *,
    n_views: int,
    views: frozenset[str],
    device: torch.device,
    on_progress: OnProgress | None = None,
) -> Bank:
    """The features of `dataset` by `network`, its head aside: those that lie in `cache`, and the others computed.

    Another process that computes the same bank is waited for; after a kill, what was written is taken. What is damaged
    is told and computed anew.

    Args:
        views: kinds of views wanted beside the plain one: of weak, strong and mirrored.
        n_views: V, of each of the random kinds, weak and strong.
        device: where to compute; the values are the same but for its rounding.
        on_progress: gets a report before the work, after each batch and at the end, or with a notice; `StderrProgress`
            shows them. None is quiet; where all is there, only notices come.

    Raises:
        InputError: features that float16 cannot hold, by image; a full disk; a backbone that is no graph.
    """
    assert views <= {WEAK, STRONG, MIRRORED}, views
    tell = on_progress or (lambda progress: None)
    digests = identify_images(dataset)
    description = describe(network, dataset, digests)
    folder = cache / name_key(description)
    n_images, width = len(digests), network.backbone.width
    tables = {PLAIN: Blocks(folder / "plain.npy", (n_images, width))}
    if MIRRORED in views:
        tables[MIRRORED] = Blocks(folder / "mirrored.npy", (n_images, width))
    for kind in sorted(views - {MIRRORED}):
        tables[kind] = Blocks(folder / f"{kind}-{n_views}.npy", (n_images, n_views, width))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / "lock", lambda: _tell(tell, f"Waiting for another process, which computes {folder}.")):
            found = [_plan(kind, table, tell) for kind, table in tables.items()]
            if tasks := [task for task in found if task.blocks]:
                _check_space(folder, [task.table for task in tasks])
                _write_index(folder, description, digests)
                tasks = [_begin(task, cache, description, digests) for task in tasks]
                extractor = build_extractor(network, dataset.images.shape[1], device)
                compute(tasks, sum(n_images * task.n_views for task in found), dataset, digests, extractor, tell)
            opened = {kind: table.open() for kind, table in tables.items()}
    except OSError as error:
        raise _explain(error, folder) from error
    return Bank(opened[PLAIN], *(opened.get(kind) for kind in (WEAK, STRONG, MIRRORED)))


def _plan(kind: str, table: Blocks, tell: OnProgress) -> Task:
    """What one table lacks, found by reading all of it."""
    found = table.check()
    if found.damaged:
        _tell(
            tell,
            f"Bank of features: {len(found.damaged)} of {table.n_blocks} blocks of {table.path} are damaged or cut off;"
            " they are computed anew. If that comes again, look to the disk.",
        )
    lacking = sorted(set(range(table.n_blocks)) - set(found.whole))
    return Task(kind, table, tuple(lacking), NOTHING)


def _begin(task: Task, cache: Path, description: dict[str, object], digests: Sequence[str]) -> Task:
    whole = set(range(task.table.n_blocks)) - set(task.blocks)
    task.table.begin(sorted(whole))
    return task._replace(earlier=find_earlier(cache, description, digests, task.table.path.name, task.table.shape))


def _write_index(folder: Path, description: dict[str, object], digests: Sequence[str]) -> None:
    for name, text in ((INDEX, json.dumps(description, indent=2)), (DIGESTS, "\n".join(digests))):
        beside = folder / f"{name}.new"
        beside.write_text(text)
        beside.replace(folder / name)


def _check_space(folder: Path, tables: Sequence[Blocks]) -> None:
    """Raises InputError before hours of work whose end would find no place."""
    there = sum(table.path.stat().st_size for table in tables if table.path.exists())
    needed, free = sum(table.n_bytes for table in tables) - there, shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The bank of features needs {_in_mb(needed)} more in {folder.parent}, and there are {_in_mb(free)} free:"
            " make room, delete banks there that no run needs any more, take fewer --bank-views, or another DC3_STORE."
        )


def _explain(error: OSError, folder: Path) -> Exception:
    """What a fault of the disk means to the user; anything else is handed on as it came."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EIO):
        return error
    return InputError(
        f"The bank of features cannot be written or read at {folder}: {error.strerror}. What was computed stays: mend"
        " that (make room, delete banks that no run needs any more), and the same command goes on from there."
    )


def _in_mb(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"


def _tell(tell: OnProgress, notice: str) -> None:
    tell(Progress(0, 0, "", notice))
