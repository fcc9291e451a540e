"""That the bank takes no more memory for ten times the images, and how long it and its checks take besides the network.

python -m benchmarks.features.memory [--images 20000,200000] [--size 64] [--work FOLDER]

Images are random pixels in the form that the ingest leaves. The backbone is as good as none (means of a 4 x 4 grid, one
matrix to as many features as EfficientNet-Lite0 has): what is measured is all that comes beside a real one, at the
size that a real bank has. Each count in a process of its own; peak RSS is the system's VmHWM.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data.images.deep import Reading
from data.ingest import Dataset
from training.features.bank import open_bank
from training.networks.backbone import Backbone
from training.networks.heads import Head, Network

WIDTH = 1280
CHUNK = 5000


class Means(Backbone):
    """The mean of each of 4 x 4 fields, and WIDTH sums of them."""

    width = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.sums = nn.Linear(48, WIDTH)

    def forward(self, images: Tensor) -> Tensor:
        return self.sums(F.avg_pool2d(images, images.shape[-1] // 4).flatten(1))


def main() -> int:
    """Measures each count in a child process and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default="20000,200000")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--n-views", type=int, default=4)
    parser.add_argument("--work", type=Path, default=None, help="folder for some GB; a temporary one by default")
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(_measure(Path(given.measure), given.n_views)))
        return 0
    print(
        f"| images of {given.size} px | images file | bank, {given.n_views} weak views | peak RSS"
        " | of it before the bank | CPU seconds | on the clock | opened again, CPU seconds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for count in map(int, given.images.split(",")):
        with tempfile.TemporaryDirectory(dir=given.work) as folder:
            _write_images(Path(folder) / "images.npy", count, given.size)
            command = [sys.executable, "-m", "benchmarks.features.memory", "--measure", folder]
            told = subprocess.run(
                [*command, "--n-views", str(given.n_views)], check=True, stdout=subprocess.PIPE, text=True
            )
            found = json.loads(told.stdout)
            print(f"| {count:,} | " + " | ".join(found.values()) + " |", flush=True)
    return 0


def _write_images(path: Path, count: int, size: int) -> None:
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, size, size, 3))
    generator = np.random.default_rng(0)
    for first in range(0, count, CHUNK):
        images[first : first + CHUNK] = generator.integers(0, 256, images[first : first + CHUNK].shape, np.uint8)
    images.flush()


def _measure(folder: Path, n_views: int) -> dict[str, str]:
    images = np.load(folder / "images.npy", mmap_mode="r")
    count = len(images)
    names, digests = (tuple(f"{prefix}{number:020x}" for number in range(count)) for prefix in ("", "0"))
    dataset = Dataset(images, names, np.ones((count, 10), np.int64), tuple("abcdefghij"), "", (), digests, Reading({}))
    backbone = Means()
    network = Network(backbone, Head(WIDTH, 10, 50))
    before = _peak_rss_mb()

    def open_it() -> tuple[float, float]:
        clock, cores = time.perf_counter(), time.process_time()
        open_bank(network, dataset, folder, n_views=n_views, views=frozenset({"weak"}), device=torch.device("cpu"))
        return time.perf_counter() - clock, time.process_time() - cores

    clock, cores = open_it()
    _, again = open_it()
    size = sum(path.stat().st_size for path in folder.glob("*/*.npy"))
    return {
        "images": f"{images.nbytes / 1e6:,.0f} MB",
        "bank": f"{size / 1e6:,.0f} MB",
        "peak": f"{_peak_rss_mb():,.0f} MB",
        "before": f"{before:,.0f} MB",
        "cores": f"{cores:.0f}",
        "clock": f"{clock:.0f}",
        "again": f"{again:.2f}",
    }


def _peak_rss_mb() -> float:
    """Not getrusage's, which a child inherits from the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    sys.exit(main())
