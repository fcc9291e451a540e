"""Checkpoints: tensors and plain values only, written whole or not at all."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch

from data.errors import InputError


class Checkpoint(NamedTuple):
    """The state of a training after `step` steps; random states are functions of seed and step."""

    step: int
    network: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes beside the target, flushes to disk, then renames: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f"{path.name}.{os.getpid()}")
    with work.open("wb") as file:
        torch.save(checkpoint._asdict(), file)
        file.flush()
        os.fsync(file.fileno())
    work.replace(path)


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Reads a checkpoint; raises InputError when it is missing or damaged."""
    try:
        return Checkpoint(**torch.load(path, map_location=device, weights_only=True))
    except FileNotFoundError as error:
        raise InputError(f"No checkpoint at {path}: the run has not reached its first one; train it anew.") from error
    except (RuntimeError, EOFError, TypeError, ValueError) as error:
        raise InputError(f"Checkpoint {path} cannot be read ({error}); remove it to train from the start.") from error
