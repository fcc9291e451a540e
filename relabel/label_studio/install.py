"""Label Studio in an environment of its own: it pins versions of 160 packages that this project needs newer."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from data.errors import InputError

VERSION = "1.23.2"


def install(cache: Path | None = None) -> Path:
    """Label Studio's command, installed once below `cache` (1 GB, minutes); two processes do not install it twice.

    `cache` is DC3_CACHE, or .cache/dc3 in the home folder, unless given. Raises InputError with pip's last line.
    """
    cache = cache or Path(os.environ.get("DC3_CACHE") or Path.home() / ".cache" / "dc3")
    folder = cache / f"label-studio-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            pip = (str(folder / "bin" / "python"), "-m", "pip")
            _run(*pip, "install", "--quiet", "--no-compile", f"label-studio=={VERSION}")
            (folder / "done").touch()
    return folder / "bin" / "label-studio"


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]
        raise InputError(
            f"Label Studio {VERSION} cannot be installed ({reason}). Install it in an environment of its own, "
            "and name its command: --program label-studio/bin/label-studio."
        ) from error
