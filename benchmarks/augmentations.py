"""Our augmentations beside kornia's and torchvision v2's: CPU time of the same batches, and what each side can do.

python benchmarks/augmentations.py [--repetitions 20]    with kornia 0.9 installed beside: it is no dependency

CPU ms a batch are user and system time of this process on one thread (OMP_NUM_THREADS=1), the least of three series,
the sides in turn. `distinct` counts the different results of a batch of one and the same image: 1 means one draw for
all. `global` says whether the process-wide random state moved: what does not draw from the passed generator alone
cannot be resumed by seed and step. `reads` counts tensors whose value or whose number of true places the host had to
know (on CUDA each waits for the device, and none is allowed in a captured graph).

`batch` gets all images in one call, `each` one call an image. FixMatch draws the two operations for each image: of the
libraries, only `each` does. kornia's RandAugment draws them once a call (its `rand_selector`), torchvision's v2 draws
everything once a call; both take one magnitude of 30, ours draws the strength of each operation as FixMatch does.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.transforms import v2

from training.batches.augment import strong, weak

SIDE = 32
SIZES = (64, 448)
READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.unique")
Augment = Callable[[Tensor], Tensor]


class CountReads(TorchDispatchMode):
    """Counts the operations after which the host knows a value."""

    def __init__(self) -> None:
        super().__init__()
        self.n_reads = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs the operation."""
        name = str(func)
        by_mask = name.startswith("aten.index.") and any(
            place is not None and place.dtype in (torch.bool, torch.uint8) for place in args[1]
        )
        self.n_reads += by_mask or name.startswith(READS)
        return func(*args, **(kwargs or {}))


def main() -> int:
    """Prints one row a side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=20)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    sides = list_sides()
    print("| view | side | " + " | ".join(f"CPU ms, {size}" for size in SIZES) + " | distinct of 64 | global | reads |")
    print("| --- | --- | ---: | ---: | ---: | --- | ---: |")
    for view, name in sides:
        augment = sides[view, name]
        times = [measure(augment, size, arguments.repetitions) for size in SIZES]
        distinct, moved, reads = describe(augment)
        cells = [view, name, *(f"{value:.1f}" for value in times), str(distinct), "moves" if moved else "stays"]
        print("| " + " | ".join([*cells, str(reads)]) + " |", flush=True)
    return 0


def list_sides() -> dict[tuple[str, str], Augment]:
    """What takes (N, 3, 32, 32) in [0, 1], or ours in [-1, 1], by view and side."""
    from kornia import augmentation as kornia
    from kornia.augmentation.auto import RandAugment

    generator = torch.Generator().manual_seed(0)
    pad = SIDE // 8
    kornia_weak = kornia.AugmentationSequential(
        kornia.RandomHorizontalFlip(p=0.5), kornia.RandomCrop((SIDE, SIDE), padding=pad, padding_mode="reflect")
    )
    kornia_strong = kornia.AugmentationSequential(RandAugment(n=2, m=10), kornia.RandomErasing((0.02, 0.25), p=1.0))
    v2_weak = v2.Compose([v2.RandomHorizontalFlip(0.5), v2.RandomCrop(SIDE, padding=pad, padding_mode="reflect")])
    v2_strong = v2.Compose([v2_weak, v2.RandAugment(2, 10), v2.RandomErasing(1.0, (0.02, 0.25))])
    return {
        ("weak", "ours"): lambda images: weak(images * 2 - 1, generator),
        ("weak", "kornia, batch"): kornia_weak,
        ("weak", "torchvision v2, batch"): v2_weak,
        ("weak", "torchvision v2, each"): lambda images: torch.stack([v2_weak(image) for image in images]),
        ("strong", "ours"): lambda images: strong(images * 2 - 1, generator),
        ("strong", "kornia, batch"): lambda images: kornia_strong(kornia_weak(images)),
        ("strong", "kornia, each"): lambda images: torch.cat(
            [kornia_strong(kornia_weak(image[None])) for image in images]
        ),
        ("strong", "torchvision v2, batch"): v2_strong,
        ("strong", "torchvision v2, each"): lambda images: torch.stack([v2_strong(image) for image in images]),
    }


def measure(augment: Augment, size: int, repetitions: int) -> float:
    """CPU ms a batch: the least of three series."""
    images = torch.rand(size, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    augment(images)
    found = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(repetitions):
            augment(images)
        found.append((time.process_time() - start) / repetitions)
    return 1000 * min(found)


def describe(augment: Augment) -> tuple[int, bool, int]:
    """Different results of 64 times one image, whether the global random state moves, and reads of the host."""
    images = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2)).expand(64, -1, -1, -1).clone()
    before = torch.random.get_rng_state()
    results = augment(images)
    moved = not torch.equal(before, torch.random.get_rng_state())
    with CountReads() as count:
        augment(images)
    return len(results.flatten(1).unique(dim=0)), moved, count.n_reads


if __name__ == "__main__":
    sys.exit(main())
