"""The bank of features beside bare onnxruntime: how much of its speed is left when all is done that a lab needs.

python -m benchmarks.features --images IMAGES --votes VOTES [--count 1000] [--views weak,strong] [--repetitions 3]

Both sides take turns. The bank's side starts from image files: it reads, decodes and resizes them, makes their views,
writes the graph and opens it, passes all through, and writes features with checksums. The bare side has the same graph
open already, and passes as many images of the same pixels through it, that lie in memory: same threads, same batches,
nothing is kept. Prints a Markdown table, CPU seconds (user and system) beside those on the clock.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch

from data.ingest import Dataset, ingest
from data.sources.folder import Folder
from training.features.bank import open_bank
from training.features.extractor import CPU_BATCH, n_threads, write_graph
from training.networks import build_network
from training.networks.heads import Network
from training.options import NetworkOptions

Seconds = tuple[float, float]
"""On the clock, and of all cores together."""


def main() -> int:
    """Measures both sides in turn and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder or zip")
    parser.add_argument("--votes", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000, help="images taken of these")
    parser.add_argument("--size", type=int, default=32, help="side in pixels at which images are stored")
    parser.add_argument("--network", default="tf_efficientnet_lite0")
    parser.add_argument("--pretrained", default="default")
    parser.add_argument("--input-size", type=int, default=128)
    parser.add_argument("--n-views", type=int, default=4)
    parser.add_argument("--views", default="weak")
    parser.add_argument("--repetitions", type=int, default=3)
    given = parser.parse_args()
    kinds = frozenset(given.views.split(",")) if given.views else frozenset[str]()
    network = _build(given)
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        images, votes = _take_some(given.images, given.votes, given.count, Path(folder))

        def ours() -> Dataset:
            cache = Path(tempfile.mkdtemp(dir=folder))
            dataset = ingest(Folder(images, votes), given.size, cache / "data")
            open_bank(network, dataset, cache, n_views=given.n_views, views=kinds, device=torch.device("cpu"))
            shutil.rmtree(cache / "data")  # the map that is open lives on
            return dataset

        pixels = np.array(ours().images)
        n_passes = 1 + given.n_views * len(kinds)
        bare = _open_bare(write_graph(network, given.size), pixels, n_passes)
        bare()
        found: dict[str, list[Seconds]] = {"bare": [], "bank": []}
        for _ in range(given.repetitions):
            for name, side in (("bare", bare), ("bank", ours)):
                found[name].append(_time(side))
    _print_table(found, given, len(pixels) * n_passes, load)
    return 0


def _build(given: argparse.Namespace) -> Network:
    options = NetworkOptions(
        network=given.network, pretrained=given.pretrained, input_size=given.input_size, freeze="all"
    )
    return build_network(options, given.size, 10)


def _take_some(images: Path, votes: Path, count: int, folder: Path) -> tuple[Path, Path]:
    """The first `count` images as files in a folder of their own, and the rows of the vote table that name them."""
    import pandas as pd

    source = Folder(images, votes)
    names = source.names()[:count]
    (folder / "images").mkdir()
    for name in names:
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.content(name))
    table: pd.DataFrame = source.votes()
    table[table["image"].isin(names)].to_csv(folder / "votes.csv", index=False)
    return folder / "images", folder / "votes.csv"


def _open_bare(graph: bytes, pixels: np.ndarray, n_passes: int) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run() -> None:
        for _ in range(n_passes):
            for first in range(0, len(pixels), CPU_BATCH):
                session.run(None, {"images": pixels[first : first + CPU_BATCH]})

    return run


def _time(work: Callable[[], object]) -> Seconds:
    clock, cores = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cores


def _print_table(
    found: dict[str, list[Seconds]], given: argparse.Namespace, count: int, load: tuple[float, float, float]
) -> None:
    print("# The bank of features beside bare onnxruntime\n")
    print(
        f"{given.network} at {given.input_size} px, images stored at {given.size} px, {count:,} images and views"
        f" ({given.n_views} of each of: {given.views or 'none'}), {n_threads()} thread(s), batches of {CPU_BATCH};"
        f" median (lowest to highest) of {given.repetitions} in turn."
    )
    print(
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores {platform.machine()}, onnxruntime"
        f" {onnxruntime.__version__}, load {load[0]:.1f} at the start and {os.getloadavg()[0]:.1f} at the end.\n"
    )
    print("| side | seconds on the clock | a second | CPU seconds | ms of a core each |\n|---|---|---|---|---|")
    for name, title in (("bare", "bare onnxruntime"), ("bank", "the bank, from image files on")):
        clock, cores = ([one[place] for one in found[name]] for place in (0, 1))
        rate, each = count / median(clock), median(cores) / count * 1e3
        print(f"| {title} | {_describe(clock)} | {rate:.0f} | {_describe(cores)} | {each:.2f} |")
    ratios = [
        median(one[place] for one in found["bare"]) / median(one[place] for one in found["bank"]) for place in (0, 1)
    ]
    print(
        f"\nSpeed of the bank as a share of bare onnxruntime's: {ratios[0]:.2f} on the clock, {ratios[1]:.2f} by CPU."
    )


def _describe(values: list[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    sys.exit(main())
