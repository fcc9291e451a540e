"""`dc3 export RUN`: a trained run to one ONNX file."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

MOST_TYPICAL = 50


@dataclass(frozen=True)
class ExportOptions:
    """Writes a run's model to one ONNX file, checked against PyTorch on the run's own images."""

    run: tyro.conf.Positional[str] = "best"
    """MLflow run id, or `best` for the best run on the data and the validation images of the newest one."""
    by: Literal["proposals_right", "d_minus_f1"] = "proposals_right"
    """What `best` is chosen by: right proposals, or the paper's d - F1, which many tiny clusters make low."""
    output: Path = Path("model.onnx")
    """File to write; left as it was when the check fails."""
    input_type: Literal["uint8", "float32"] = "uint8"
    """Of the image batch that the file takes, values 0 to 255 in either case."""
    int8: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Quantise for the CPU; refused when it costs more than half a point of F1, d or the ambiguity's AUROC."""
    fp16: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Half precision for CUDA, refused likewise."""
    typical: int = 6
    """Typical images a cluster that travel with the file, for its users to see; 0 where images must not leave the
    lab."""


def main(argv: list[str]) -> int:
    """Parses, exports, and prints what was written."""
    options = tyro.cli(ExportOptions, args=argv, prog="dc3 export")
    from data.quality import describe_quality
    from serving.export.to_onnx import export
    from serving.model.card import BadModel

    faults = _find_faults(options)
    if faults:
        print("\n".join(f"dc3 export: {fault}" for fault in faults), file=sys.stderr)
        return 2
    try:
        run = options.run
        if run == "best":
            from dc3.notices import print_notice
            from training.track import best_run

            run = best_run(options.by, print_notice)
        exported = export(run, options.output, options.input_type, _precision(options), options.typical)
    except BadModel as error:
        print(f"dc3 export: {error}", file=sys.stderr)
        return 2
    size = options.output.stat().st_size / 1e6
    card = exported.card
    counts = f"{len(card.classes)} classes, {len(card.captions)} clusters"
    print(f"{options.output}: {size:.1f} MB, run {card.run_id}, {counts}")
    n_typical = sum(len(images) for images in card.typical)
    if n_typical:
        print(f"{n_typical} typical images of the run's data travel with the file; --typical 0 leaves them out")
    if card.precision != "float32":
        print(f"{card.precision}: {exported.speed_up:.1f} times as fast as float32 on this machine")
    print("\n".join(describe_quality(card.metrics).words))
    for note in exported.notes:
        print(f"note: {note}")
    print(f"Serve it: dc3 serve {options.output}")
    return 0


def _find_faults(options: ExportOptions) -> list[str]:
    faults = []
    if options.int8 and options.fp16:
        faults.append("--int8 and --fp16 exclude each other")
    if options.output.exists() and not options.output.is_file():  # the file is put in its place: root would lose it
        faults.append(f"--output {options.output} is a folder or a device; give the name of a file")
    if not 0 <= options.typical <= MOST_TYPICAL:
        faults.append(f"--typical must be 0 to {MOST_TYPICAL} images a cluster, it is {options.typical}")
    return faults


def _precision(options: ExportOptions) -> Literal["float32", "float16", "int8"]:
    if options.int8:
        return "int8"
    return "float16" if options.fp16 else "float32"
