"""What leaves the machine: few files of bounded size, as the way back allows (docs/gpu.md)."""

import shutil
import zipfile
from pathlib import Path

from benchmarks.gpu.runs import CHECKPOINT, CLOCK, PREDICTIONS, RESULT, Run
from benchmarks.gpu.settings import Settings
from data.errors import InputError
from data.predictions import read_predictions, write_predictions

N_FILES = 8
FILE_BYTES = 16 * 2**20 - 2**18
TOTAL_BYTES = 63 * 2**20
N_BUNDLES = 4
"""Of predictions; with lines, log and table one file is left for what is to be resumed."""
RESUME = "resume-*.bin"


def pack_predictions(settings: Settings, run: Run) -> str:
    """Adds a training's predictions to the bundles of the output; returns where they are.

    Where the whole file does not fit any more, its validation part goes: enough for the table and the baseline.
    """
    path = run.folder(settings) / PREDICTIONS
    found = _add(path, f"{run.short}.parquet", settings)
    if found:
        return found
    part = path.with_name("validation.parquet")
    write_predictions(read_predictions(path).part("validation"), part)
    return _add(part, f"{run.short}.parquet", settings) or "only in the work folder: no room left"


def _add(path: Path, name: str, settings: Settings) -> str:
    """The bundle that took the file; empty where none has room."""
    size = path.stat().st_size + 1024
    if _used(settings.output) + size > TOTAL_BYTES:
        return ""
    for number in range(1, N_BUNDLES + 1):
        bundle = settings.output / f"predictions-{number}.zip"
        if bundle.exists() and bundle.stat().st_size + size > FILE_BYTES:
            continue
        # grown beside, then put in place: a cut leaves the bundle of before
        grown = settings.work / bundle.name
        if bundle.exists():
            shutil.copyfile(bundle, grown)
        else:
            grown.unlink(missing_ok=True)
        with zipfile.ZipFile(grown, "a", zipfile.ZIP_STORED) as file:
            if name not in file.namelist():
                file.write(path, name)
        _place(grown, bundle)
        return bundle.name
    return ""


def _place(path: Path, target: Path) -> None:
    """Moves a file, also between file systems, so that the target is the old or the new one."""
    beside = target.with_name(f"{target.name}.new")
    shutil.move(path, beside)
    beside.replace(target)


def _used(output: Path) -> int:
    return sum(path.stat().st_size for path in output.iterdir() if path.is_file())


def pack_resume(settings: Settings, runs: list[Run]) -> list[str]:
    """Packs the checkpoints of unfinished trainings, in order, as many as fit; returns the names of those packed."""
    for old in settings.output.glob(RESUME):
        old.unlink()
    n_left = N_FILES - len([path for path in settings.output.iterdir() if path.is_file()])
    room = min(n_left * FILE_BYTES, TOTAL_BYTES - _used(settings.output))
    whole, packed = settings.work / "resume.zip", []
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        for run in runs:
            folder = run.folder(settings)
            if (folder / RESULT).exists() or not (folder / CHECKPOINT).exists():
                continue
            if whole.stat().st_size + (folder / CHECKPOINT).stat().st_size + 2**16 > room:
                break
            for name in (CHECKPOINT, CLOCK):
                if (folder / name).exists():
                    file.write(folder / name, f"{run.short}/{name}")
            packed.append(run.name)
    if packed:
        with whole.open("rb") as file_in:
            for number in range(1, N_FILES):
                if piece := file_in.read(FILE_BYTES):
                    (settings.output / RESUME.replace("*", str(number))).write_bytes(piece)
    whole.unlink()
    return packed


def unpack_resume(folder: Path, work: Path) -> None:
    """Lays what an earlier call brought back into the work folder; raises InputError where it is not whole."""
    pieces = sorted(folder.glob(RESUME))
    if not (folder / "results.jsonl").is_file():
        raise InputError(f"{folder} must be the output of an earlier call: it holds no results.jsonl.")
    shutil.copyfile(folder / "results.jsonl", work / "results.jsonl")
    if not pieces:
        return
    whole = work / "resume.zip"
    whole.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    try:
        with zipfile.ZipFile(whole) as file:
            file.extractall(work / "runs")
    except zipfile.BadZipFile as error:
        names = ", ".join(piece.name for piece in pieces)
        raise InputError(f"{names} in {folder} are not whole ({error}); bring all pieces of one call.") from error
    finally:
        whole.unlink()
