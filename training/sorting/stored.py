"""A fitted sorting as a file: its kind, its options and its tensors, and nothing that runs when it is read."""

import json
import pickle
from dataclasses import asdict
from pathlib import Path

import torch

from data.errors import InputError
from training.options import SortingOptions
from training.sorting import SORTINGS
from training.sorting.sorting import Sorting


def write_sorting(sorting: Sorting, options: SortingOptions, path: Path) -> None:
    """Writes what `read_sorting` reads."""
    torch.save({"options": json.dumps(asdict(options)), "buffers": sorting.state_dict()}, path)


def read_sorting(path: Path) -> Sorting:
    """Raises InputError for a file that is another one, is damaged or names a sorting that is not there."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        options = SortingOptions(**json.loads(stored["options"]))
    except (OSError, RuntimeError, EOFError, TypeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        # torch's own text advises to read it as code
        raise InputError(
            f"{path} is not what a run wrote as its sorting: fetch it anew, or sort anew by `dc3 sort`."
        ) from error
    if options.sorting not in SORTINGS:
        raise InputError(f"{path} is of the sorting {options.sorting}, known are {', '.join(SORTINGS)}.")
    return SORTINGS[options.sorting](**stored["buffers"])
