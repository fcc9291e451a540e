"""Makes the folder of arrays that travels to the GPU, and prints how the benchmark is called there.

python -m benchmarks.gpu.prepare --images IMAGES.zip --votes votes.csv [--data build/gpu/data]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.gpu.about import find_commit
from benchmarks.gpu.data import write_data
from data.errors import InputError
from data.ingest import ingest
from data.sources.folder import Folder

SIZE = 32
"""Pixels a side, as CIFAR has."""
LIMIT_MIB = 64
"""Of all that travels in one call: the tree, this folder, and what is to be resumed."""


def main() -> int:
    """Returns 0, or 1 where the data cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder or .zip")
    parser.add_argument("--votes", type=Path, required=True, help="vote table")
    parser.add_argument("--data", type=Path, default=Path("build/gpu/data"), help="folder to write")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as cache:
            dataset = ingest(Folder(arguments.images, arguments.votes), SIZE, Path(cache))
            commit = find_commit()
            write_data(dataset, commit, arguments.data)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in arguments.data.iterdir()) / 2**20
    print(
        f"{len(dataset.names)} images of {SIZE} px, {dataset.counts.sum()} votes, commit {commit or 'unknown'}: "
        f"{size:.1f} of the {LIMIT_MIB} MiB that may travel, in {arguments.data}.\n"
        f"On the GPU: python -m benchmarks.gpu --data {arguments.data} --output OUTPUT --seconds 480"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
