"""A process that opens the bank of the tests: python -m tests.training.features.worker CACHE HALT_AT.

It tells each report on a line of its own, and halts for good when so many features are there.
"""

import sys
import time
from pathlib import Path

import torch

from tests.training.features.conftest import N_VIEWS, build_tiny, draw_dataset
from training.features.bank import open_bank
from training.features.progress import Progress


def main() -> None:
    """Opens the bank, and says so."""

    def tell(progress: Progress) -> None:
        sys.stdout.write(f"{progress.notice or progress.done}\n")
        sys.stdout.flush()
        if progress.done >= int(sys.argv[2]):
            time.sleep(3600)

    open_bank(
        build_tiny(),
        draw_dataset(),
        Path(sys.argv[1]),
        n_views=N_VIEWS,
        views=frozenset({"weak"}),
        device=torch.device("cpu"),
        on_progress=tell,
    )


if __name__ == "__main__":
    main()
