"""A chosen trial as a preset file that `dc3 train` takes."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w
from optuna.trial import FrozenTrial

from data.errors import InputError
from training.config import load_preset
from tuning.choose import d_minus_f1, figures_of
from tuning.space import apply_params
from tuning.study import Record


def write_preset(path: Path, study: str, record: Record, trial: FrozenTrial) -> None:
    """Writes the trial's configuration, test part included, with a header that says where it comes from."""
    if path.suffix != ".toml":
        raise InputError(f"--output {path} must end in .toml: `dc3 train --preset` knows a file by that.")
    config = apply_params(record.config, trial.params)
    f1, d = trial.values
    right = figures_of(trial).get("proposals_right")
    share = "" if right is None else f"right proposals {right:.4f}, "
    header = (
        f"# dc3 train --preset {path}\n"
        f"# Trial {trial.number} of study {study}, MLflow run {trial.user_attrs['run_id']}\n"
        f"# On validation: {share}F1 {f1:.4f}, d {d:.4f}, d - F1 {d_minus_f1(trial):.4f}\n\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # other workers of the study write the same file when they are done
    draft = path.with_name(f".{path.stem}.{os.getpid()}.toml")
    draft.write_text(header + tomli_w.dumps(_without_none(asdict(config))))
    draft.replace(path)
    assert load_preset(str(path)) == config


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no null; an option left out keeps its default, which is None."""
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
        if value is not None
    }
