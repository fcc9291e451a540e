"""The service's options: set by `dc3 serve`, carried to its worker processes in environment variables."""

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.cores import usable_cores

PREFIX = "DC3_"
_BOUNDS = {"workers": (1, 1024), "threads": (0, 1024)}
"""These are options of the command line, too; all other numbers lie above 0."""


@dataclass(frozen=True)
class Settings:
    """Limits and places; each is the environment variable DC3_<NAME>."""

    model: Path = Path("model.onnx")
    workers: int = 1
    """Processes."""
    threads: int = 0
    """onnxruntime's threads in a process; 0 shares the cores out among the workers."""
    max_batch: int = 64
    max_queue: int = 1024
    """Images that may wait in a process; beyond it a request is refused with 503."""
    max_images: int = 256
    """Images in one request."""
    max_body_mb: float = 64.0
    """Megabytes in one request."""
    max_held_mb: float = 512.0
    """Megabytes of all request bodies that a process holds at one time."""
    max_pixels: int = 50_000_000
    """Pixels of one image."""
    body_timeout_s: float = 30.0
    """Time for a client to send a request's header, and as long again for its body."""
    answer_timeout_s: float = 30.0
    """Time for the model to answer, waiting included."""
    reload_s: float = 2.0
    """Time between two looks at the model's file, which is loaded anew when it changes."""
    api_keys_file: str = ""
    """File of one key a line, read anew when it changes; keys may also stand in DC3_API_KEYS, separated by commas."""
    insecure: bool = False
    """Answer other machines without a key."""

    @property
    def n_threads(self) -> int:
        """onnxruntime's threads in a process, found out where none are set."""
        return self.threads or max(1, usable_cores() // self.workers)

    def find_faults(self) -> list[str]:
        """One text for each number with which no service could run."""
        faults = []
        for field in dataclasses.fields(self):
            value, name = getattr(self, field.name), field.name
            if name in _BOUNDS:
                least, most = _BOUNDS[name]
                if not least <= value <= most:
                    faults.append(f"--{name} must be {least} to {most}, it is {value}")
            elif type(value) in (int, float) and not 0 < value < math.inf:  # so that nan is one
                faults.append(f"{PREFIX}{name.upper()} must be a number above 0, it is {value}")
        return faults

    def to_environment(self) -> dict[str, str]:
        """The variables from which `read_settings` makes these settings again."""
        return {PREFIX + field.name.upper(): str(getattr(self, field.name)) for field in dataclasses.fields(self)}


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings out of the environment, defaults where it is silent; raises ValueError naming every bad variable."""
    defaults = Settings()
    values: dict[str, object] = {}
    faults = []
    for field in dataclasses.fields(Settings):
        text = environment.get(PREFIX + field.name.upper())
        if text is None:
            continue
        kind = type(getattr(defaults, field.name))
        try:
            values[field.name] = _BOOLEANS[text.lower()] if kind is bool else kind(text)
        except (ValueError, KeyError):
            faults.append(f"{PREFIX}{field.name.upper()} must be of type {kind.__name__}, it is {text!r}")
    settings = Settings(**values)  # type: ignore[arg-type]  # each was made by its default's type
    faults += settings.find_faults()
    if faults:
        raise ValueError("; ".join(faults))
    return settings


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}
