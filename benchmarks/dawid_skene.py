"""Our Dawid-Skene beside crowd-kit's: the same answers, the same result, CPU seconds and memory of both in one run.

python benchmarks/dawid_skene.py [--repetitions 3]    with crowd-kit 1.4.2 installed beside: it is no dependency

Both run the same number of expectation-maximisation steps from the share of the votes on. CPU seconds are user and
system time of this process on one thread (OMP_NUM_THREADS=1); each side runs in turn, the least of the repetitions
counts. The last columns are the largest difference of any probability, and of the classes found how many differ.
"""

import argparse
import resource
import sys
import time

import numpy as np
import pandas as pd

from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import Ballots
from relabel.soft_labels.dawid_skene import fit_dawid_skene
from tests.relabel.soft_labels.answers import simulate_ballots

SIZES = ((1_000, 4, 8, 3), (10_000, 10, 30, 3), (10_000, 10, 200, 10))
"""Images, classes, annotators, votes an image."""
STEPS = 12
OPTIONS = EstimateOptions(iterations=STEPS, tolerance=1e-300)
"""A tolerance that is not reached: both sides make all steps."""


def main() -> int:
    """Prints one row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    arguments = parser.parse_args()
    before, start = _peak_mb(), time.process_time()
    from crowdkit.aggregation import DawidSkene

    print(f"import of crowdkit.aggregation: {time.process_time() - start:.1f} CPU s, {_peak_mb() - before:.0f} MB\n")
    print("| images | classes | annotators | votes | ours, CPU s | crowd-kit, CPU s | difference | other classes |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in SIZES:
        ballots, _ = simulate_ballots(0, *size)
        table = to_table(ballots)
        took: dict[str, float] = {}
        for _ in range(arguments.repetitions):
            start = time.process_time()
            ours = fit_dawid_skene(ballots, OPTIONS).soft
            between = time.process_time()
            found = DawidSkene(n_iter=STEPS, tol=-np.inf).fit_predict_proba(table)
            seconds = {"ours": between - start, "theirs": time.process_time() - between}
            took = {side: min(value, took.get(side, np.inf)) for side, value in seconds.items()}
        theirs = found.loc[range(size[0]), range(size[1])].to_numpy()
        off, other = np.abs(ours - theirs).max(), int((ours.argmax(1) != theirs.argmax(1)).sum())
        cells = [*(f"{number:,}" for number in size), f"{took['ours']:.2f}", f"{took['theirs']:.2f}", f"{off:.1e}"]
        print("| " + " | ".join([*cells, str(other)]) + " |")
    return 0


def to_table(ballots: Ballots) -> pd.DataFrame:
    """Votes as crowd-kit reads them."""
    return pd.DataFrame({"task": ballots.image, "worker": ballots.annotator, "label": ballots.label})


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
