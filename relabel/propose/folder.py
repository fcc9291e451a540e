"""Writes the proposal folder whole or not at all, and never over somebody's work."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from data.errors import InputError, name_some
from data.proposals import ABOUT, CLUSTERS, IMAGES, PROPOSALS
from relabel.propose.dcic import FILE as DCIC

WRITTEN = "written.json"
"""Digest of clusters.csv as it was written: tells whether somebody has edited it since."""
OURS = frozenset({ABOUT, CLUSTERS, IMAGES, PROPOSALS, PROPOSALS.replace(".parquet", ".csv"), DCIC, WRITTEN})


def check_replaceable(folder: Path, overwrite: bool) -> None:
    """Raises InputError where `folder` holds edits (unless `overwrite`), answers, or anything that is not ours."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder as --output.")
    found = {path.name for path in folder.iterdir()}
    foreign = sorted(found - OURS)
    if foreign or (found and ABOUT not in found):
        what = f"holds {name_some(foreign)}" if foreign else "is no folder of proposals"
        raise InputError(f"{folder} {what}: nothing was written; move it away, or give another --output.")
    if found and not overwrite and _is_edited(folder):
        raise InputError(
            f"{folder / CLUSTERS} was edited since it was written, and would be lost: give another --output,"
            " or --overwrite to drop the edits."
        )


def write_folder(folder: Path, overwrite: bool, fill: Callable[[Path], None]) -> None:
    """Lets `fill` write into a folder beside `folder` that then takes its place; a failure leaves all as it was.

    Raises InputError as `check_replaceable` does, which is asked again in case somebody edited meanwhile.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    work.chmod(0o755)  # mkdtemp's 0700 would lock out a server that runs as another user
    try:
        fill(work)
        (work / WRITTEN).write_text(json.dumps({CLUSTERS: _digest(work / CLUSTERS)}) + "\n")
        check_replaceable(folder, overwrite)
        if folder.exists():
            old = work.with_name(f"{work.name}.old")
            folder.rename(old)
            try:
                work.rename(folder)
            except OSError:
                old.rename(folder)
                raise
            shutil.rmtree(old)
        else:
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _is_edited(folder: Path) -> bool:
    try:
        written = json.loads((folder / WRITTEN).read_text())[CLUSTERS]
        return bool(_digest(folder / CLUSTERS) != written)
    except (OSError, ValueError, KeyError):
        # what cannot be compared may have been edited
        return True


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
