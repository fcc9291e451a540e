"""What our dependencies would tell others of a lab, or leave in its home folder: off before any of them is imported.

docs/privacy.md lists what each would send. A variable that the user has set already stays as it is.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

SWITCHES = {
    # Reads it when it is loaded: else a device id and an event database below ~/.cache, and an upload.
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "BENTOML_DO_NOT_TRACK": "true",  # this word; BentoML takes 1 for a no
    # Of the hub that timm's weights come from, beside the download that was asked for.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # A plugin that is installed beside us, such as Logfire, would see what pydantic checks.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""Environment variables, which child processes inherit."""


def switch_off(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what is not set yet; called by the __init__ of each package, so that it comes before all their imports."""
    for name, value in SWITCHES.items():
        environment.setdefault(name, value)
    if "MPLCONFIGDIR" not in environment and not _has_font_list(environment):
        # Matplotlib keeps its list of fonts at home; where it has none yet, it is made for this process alone (1 s).
        folder = Path(tempfile.gettempdir()) / f"dc3-matplotlib-{secrets.token_hex(8)}"  # which matplotlib makes
        environment["MPLCONFIGDIR"] = str(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _has_font_list(environment: MutableMapping[str, str]) -> bool:
    cache = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", ""), ".cache")
    return any(Path(cache, "matplotlib").glob("fontlist-*.json"))
