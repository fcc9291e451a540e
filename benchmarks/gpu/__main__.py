"""Checks, measures and trains on a GPU within a budget of time; docs/gpu.md says what comes back.

python -m benchmarks.gpu --data build/gpu/data --output OUTPUT [--seconds 480] [--resume]
"""

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from benchmarks.gpu.about import describe, find_card
from benchmarks.gpu.budget import SHARES, part_deadline
from benchmarks.gpu.items import tell
from benchmarks.gpu.parcel import pack_resume, unpack_resume
from benchmarks.gpu.parts import PARTS
from benchmarks.gpu.prepared import check_data
from benchmarks.gpu.results import FILE, add_line, items_done, read_lines, take_over
from benchmarks.gpu.runs import plan_runs
from benchmarks.gpu.settings import Settings, write_settings
from benchmarks.gpu.table import make_table
from benchmarks.gpu.watch import run_part
from data.errors import InputError

TABLE = "table.txt"


def main() -> int:
    """Runs the parts; returns 0 when none of their lines is an error, 1 otherwise, 2 when the call cannot start."""
    started = time.time()
    try:
        settings = start_call(_parse())
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    try:
        for part in PARTS:
            if part.name in settings.parts:
                deadline = part_deadline(part.name, settings.parts, started, settings.seconds, time.time())
                print(
                    f"{time.time() - started:6.1f} s  {part.name}, at most {deadline - time.time():.0f} s", flush=True
                )
                try:
                    run_part(part, settings, deadline)
                except Exception as error:  # a part that fails does not stop the next
                    traceback.print_exc()
                    add_line(settings, part.name, part.name, "error", error=tell(error))
    except KeyboardInterrupt:
        print("stopped; what is done is kept", flush=True)
    return end_call(settings)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that benchmarks.gpu.prepare made")
    parser.add_argument("--output", type=Path, required=True, help="folder for what is kept, at most 8 files")
    parser.add_argument("--work", type=Path, help="folder for checkpoints; work beside the data folder by default")
    parser.add_argument("--seconds", type=float, default=480.0, help="budget of the whole call (default: 480)")
    parser.add_argument("--parts", default="all", help=f"names with commas between, of {', '.join(SHARES)}, or all")
    parser.add_argument("--tiny", action="store_true", help="a dry run at tiny sizes, on a CPU too")
    parser.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    parser.add_argument(
        "--resume", nargs="?", type=Path, const=Path(), default=None, metavar="FOLDER",
        help="go on with what is in --work, or with the output of a call on another machine",
    )  # fmt: skip
    return parser.parse_args()


def start_call(arguments: argparse.Namespace) -> Settings:
    """Checks what was asked for and lays out the folders; raises InputError with what is wrong."""
    parts = tuple(SHARES) if arguments.parts == "all" else tuple(arguments.parts.split(","))
    unknown = [part for part in parts if part not in SHARES]
    if unknown:
        raise InputError(f"--parts: {', '.join(unknown)} is none of {', '.join(SHARES)}.")
    if not arguments.seconds > 0:
        raise InputError(f"--seconds = {arguments.seconds}: the budget must be above 0.")
    check_data(arguments.data)
    card = find_card()
    device = arguments.device if arguments.device != "auto" else ("cuda" if card else "cpu")
    if device == "cpu" and not arguments.tiny:
        raise InputError("No CUDA device is seen here (nvidia-smi); --tiny tries the command on the CPU.")
    work = (arguments.work or arguments.data.parent / "work").resolve()
    output = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    lines = _lay_out(work, arguments.resume)
    settings = Settings(
        data=arguments.data.resolve(),
        output=output,
        work=work,
        seconds=arguments.seconds,
        parts=parts,
        tiny=arguments.tiny,
        device=device,
        call=1 + max((line["call"] for line in lines), default=0),
        about=describe(arguments.data, card if device == "cuda" else "", arguments.tiny or device == "cpu"),
    )
    write_settings(settings)
    take_over(settings)
    return settings


def _lay_out(work: Path, resume: Path | None) -> list[dict[str, object]]:
    """Makes the work folder; what an earlier call left in it is gone on with, or set aside under another name."""
    if resume is None and work.exists() and any(work.iterdir()):
        number = next(number for number in range(1, 10_000) if not work.with_name(f"{work.name}.{number}").exists())
        work.replace(work.with_name(f"{work.name}.{number}"))
    work.mkdir(parents=True, exist_ok=True)
    if resume is not None and resume != Path():
        unpack_resume(resume, work)
    lines = read_lines(work / FILE)
    if resume is not None and not lines:
        raise InputError(
            f"--resume: {work} holds no {FILE} of an earlier call; leave --resume out, or name its output."
        )
    return lines


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def end_call(settings: Settings) -> int:
    """Packs the checkpoints of unfinished trainings, writes and prints the table; returns the exit status."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    done = items_done(settings, "training")
    packed = pack_resume(settings, [run for run in plan_runs(settings.tiny) if run.name not in done])
    if packed:
        add_line(settings, "training", "packed", "info", trainings=packed)
    lines = read_lines(settings.work / FILE)
    text = make_table(lines) if lines else "nothing was run\n"
    (settings.output / TABLE).write_text(text, encoding="utf-8")
    print(text, end="")
    return int(any(line["state"] == "error" for line in lines if line["call"] == settings.call))


if __name__ == "__main__":
    sys.exit(main())
