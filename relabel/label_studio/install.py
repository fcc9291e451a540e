"""Label Studio in an environment of its own: it pins versions of 160 packages that this project needs newer."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from data.errors import InputError

VERSION = "1.23.2"
LIMIT_S = 3600.0
"""Of each step; a connection that stays open and brings nothing would else be waited for without end."""


def install(cache: Path | None = None, on_notice: Callable[[str], None] = lambda notice: None) -> Path:
    """Label Studio's command, installed once below `cache` (1 GB, minutes); two processes do not install it twice.

    `cache` is DC3_CACHE, or .cache/dc3 in the home folder, unless given; `on_notice` is told what takes long. Raises
    InputError with pip's last line.
    """
    cache = cache or Path(os.environ.get("DC3_CACHE") or Path.home() / ".cache" / "dc3")
    folder = cache / f"label-studio-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_notice(f"Waiting for another process, which installs Label Studio {VERSION} in {cache}.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").is_file():
            on_notice(f"Installing Label Studio {VERSION} in {folder}: 1 GB, some minutes.")
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            pip = (str(folder / "bin" / "python"), "-m", "pip")
            _run(*pip, "install", "--quiet", "--no-compile", f"label-studio=={VERSION}")
            (folder / "done").touch()
    return folder / "bin" / "label-studio"


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_S)
    except (OSError, subprocess.SubprocessError) as error:
        told = error.stderr if isinstance(error, subprocess.CalledProcessError) else ""
        reason = (told or str(error)).strip().splitlines()[-1]
        raise InputError(
            f"Label Studio {VERSION} cannot be installed ({reason}). Install it in an environment of its own, "
            "and name its command: --program label-studio/bin/label-studio."
        ) from error
