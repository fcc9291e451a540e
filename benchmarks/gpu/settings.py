"""What one call of the benchmark does and where it writes; handed to its child processes as a JSON file."""

import json
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from data.errors import InputError

FILE = "settings.json"


@dataclass(frozen=True)
class Settings:
    """One call; paths are absolute, so that children may start anywhere."""

    data: Path
    """What `benchmarks.gpu.prepare` made."""
    output: Path
    """Gets what is to be kept: at most 8 files (see `parcel`)."""
    work: Path
    """Keeps checkpoints, whole predictions and a second copy of all lines; a later call with --resume reads it."""
    seconds: float
    parts: tuple[str, ...]
    tiny: bool
    """Tiny sizes: a dry run, whose numbers are no results."""
    device: str
    """cuda or cpu."""
    call: int
    """1 for the first call over this work folder, 2 for the one that goes on, ..."""
    about: dict[str, str | bool]
    """Card, torch, command and commit: in every line of the results."""

    @property
    def file(self) -> Path:
        """Where children find these settings."""
        return self.work / FILE


def write_settings(settings: Settings) -> None:
    """Writes the settings into their work folder."""
    values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(settings).items()}
    settings.file.write_text(json.dumps(values, indent=2), encoding="utf-8")


def read_settings(path: Path) -> Settings:
    """Reads what `write_settings` wrote; raises InputError where it is missing or another file."""
    try:
        values = json.loads(path.read_text("utf-8"))
        chosen = {field.name: values[field.name] for field in fields(Settings)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} does not hold the settings of a call ({error}); start python -m benchmarks.gpu."
        ) from error
    paths = {name: Path(chosen[name]) for name in ("data", "output", "work")}
    return Settings(**chosen | paths | {"parts": tuple(chosen["parts"])})


def child_command(module: str, settings: Settings, *arguments: str) -> list[str]:
    """The command line of a child process of this call."""
    return [sys.executable, "-m", f"benchmarks.gpu.{module}", str(settings.file), *arguments]
