"""What lies in the folder of prepared data; light, for the process that only starts others."""

from pathlib import Path

from data.errors import InputError

INDEX = "index.json"
IMAGES = "images.npy"
VOTES = "votes.npy"
SPLITS = "splits.npy"
SEEDS = (0, 1, 2)
"""Seeds whose split is prepared; the seeds of `dc3 compare`."""


def check_data(folder: Path) -> None:
    """Raises InputError where the folder does not hold all that `write_data` writes."""
    missing = [name for name in (IMAGES, VOTES, SPLITS, INDEX) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} must hold the prepared data; it lacks {', '.join(missing)}. "
            "Make it by python -m benchmarks.gpu.prepare (docs/gpu.md)."
        )
