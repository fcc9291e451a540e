"""What every line says of its origin: card, torch, command and commit. Imports no torch: the parent holds no GPU."""

import importlib.util
import json
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.gpu.prepared import INDEX

ROOT = Path(__file__).parents[2]


def find_card() -> str:
    """Name and driver of the first GPU, or an empty text where nvidia-smi finds none."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    found = _ask(query)
    return found.splitlines()[0].strip() if found else ""


def describe(data: Path, card: str, dry_run: bool) -> dict[str, str | bool]:
    """The fields that all lines of a call share."""
    return {
        "card": card or f"no GPU: {_processor()}",
        "torch": _torch_version(),
        "python": sys.version.split()[0],
        "command": shlex.join(["python", "-m", "benchmarks.gpu", *sys.argv[1:]]),
        "commit": find_commit() or _prepared_commit(data),
        "dry_run": dry_run,
    }


def find_commit() -> str:
    """The commit of this tree, `+changes` behind it where files differ; empty where there is no repository."""
    commit = _ask(["git", "-C", str(ROOT), "rev-parse", "HEAD"])
    changed = commit and _ask(["git", "-C", str(ROOT), "status", "--porcelain"])
    return commit + ("+changes" if changed else "")


def _ask(command: list[str]) -> str:
    """What a program prints; empty where it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _prepared_commit(data: Path) -> str:
    """The commit at which the data was prepared: a tree that travels without .git has no other."""
    return str(json.loads((data / INDEX).read_text("utf-8"))["commit"])


def _torch_version() -> str:
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return "none"
    return str(runpy.run_path(str(Path(found.submodule_search_locations[0]) / "version.py"))["__version__"])


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "CPU")
