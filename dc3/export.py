"""`dc3 export RUN`: a trained run to one ONNX file."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro


@dataclass(frozen=True)
class ExportOptions:
    """Writes a run's model to one ONNX file, checked against PyTorch on the run's own images."""

    run: tyro.conf.Positional[str] = "best"
    """MLflow run id, or `best` for the run with the lowest d - F1."""
    output: Path = Path("model.onnx")
    """File to write; left as it was when the check fails."""
    input_type: Literal["uint8", "float32"] = "uint8"
    """Of the image batch that the file takes, values 0 to 255 in either case."""


def main(argv: list[str]) -> int:
    """Parses, exports, and prints what was written."""
    options = tyro.cli(ExportOptions, args=argv, prog="dc3 export")
    from serving.card import BadModel
    from serving.export import export

    try:
        run = options.run
        if run == "best":
            from training.track import best_run

            run = best_run()
        card = export(run, options.output, options.input_type)
    except (BadModel, OSError) as error:
        print(f"dc3 export: {error}", file=sys.stderr)
        return 2
    size = options.output.stat().st_size / 1e6
    counts = f"{len(card.classes)} classes, {len(card.captions)} clusters"
    print(f"{options.output}: {size:.1f} MB, run {card.run_id}, {counts}")
    print(f"Serve it: dc3 serve {options.output}")
    return 0
