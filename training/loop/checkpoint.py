"""Checkpoints: tensors and plain values only, written whole or not at all."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from data.errors import InputError
from training.methods.state import State, renew


class Checkpoint(NamedTuple):
    """The state of a training after `step` steps; random states are functions of seed and step."""

    step: int
    network: dict[str, Any]
    average: dict[str, Any]
    optimiser: dict[str, Any]
    state: dict[str, Tensor] = {}  # noqa: RUF012 - never changed; checkpoints of before have none
    """What the method keeps from step to step."""


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


def restore_state(state: State, kept: State, path: Path) -> None:
    """Takes over the state of a method from a checkpoint, in place; raises InputError where it holds another one."""

    def describe(tensors: State) -> str:
        return ", ".join(f"{name} {tuple(values.shape)}" for name, values in sorted(tensors.items())) or "none"

    if describe(state) != describe(kept):
        raise InputError(
            f"The method of this training keeps a state ({describe(state)}), checkpoint {path} holds another "
            f"({describe(kept)}): it is of another method or of other data, or older than the state. "
            "Train from the start."
        )
    renew(state, kept)
