"""`dc3 predict MODEL IMAGES --output TABLE`: any number of images through a model into a table, without a server."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from data.errors import InputError, name_some
from dc3.notices import print_notices

if TYPE_CHECKING:
    from serving.model.card import ModelCard
    from serving.model.files import Predicted
    from serving.model.session import Model

ROWS = 1024
"""Rows that are written together."""


@dataclass(frozen=True)
class PredictOptions:
    """Predicts images as the service does: class or cluster, and how ambiguous, one row an image."""

    model: tyro.conf.Positional[str]
    """File written by `dc3 export`; or models:/NAME/VERSION or models:/NAME@champion of the MLflow registry; or a run's
    id, or `best`."""
    images: tyro.conf.Positional[tuple[str, ...]]
    """Folders, .zip files, image files, or patterns."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("predictions.csv")
    """Table to write: .csv, .jsonl (JSON lines) or .parquet."""
    by: Literal["proposals_right", "d_minus_f1"] = "proposals_right"
    """What `best` is chosen by."""


def main(argv: list[str]) -> int:
    """Predicts and prints what came out; 0, or 1 where some images could not be read: their rows hold the error."""
    options = tyro.cli(PredictOptions, args=argv, prog="dc3 predict")
    from data.quality import describe_quality
    from data.sources.named import find_named
    from data.tables.growing import check_suffix
    from serving.model.card import BadModel
    from serving.model.files import File, predict_files
    from serving.model.session import Model

    check_suffix(options.output)
    if not options.images:
        raise InputError("Name images after the model: a folder, a .zip file, image files, or a pattern.")
    named = find_named(options.images)
    print_notices(named.notices)
    try:
        with _find_model(options) as path:
            model = Model(path)
    except BadModel as error:
        raise InputError(str(error)) from error
    files = (File(name, read) for name, read in named.images.items())
    counts, unread = _write(options.output, model, predict_files(model, files))
    print("\n".join(describe_quality(model.card.metrics).words))
    print(f"{options.output}: {sum(counts.values()) + len(unread)} images by model {model.version}:", end=" ")
    print(f"{counts['class']} with a class, {counts['cluster']} in clusters, {len(unread)} unreadable")
    if unread:
        print(f"dc3 predict: not read, see column error: {name_some(unread)}", file=sys.stderr)
    return 1 if unread else 0


@contextmanager
def _find_model(options: PredictOptions) -> Iterator[Path]:
    """The model's file, exported from its run where it is named by that."""
    given = options.model
    if Path(given).is_file():
        yield Path(given)
        return
    if given.endswith(".onnx"):
        raise InputError(f"No model at {given}: `dc3 export` writes one.")
    with tempfile.TemporaryDirectory() as folder:
        from dc3.notices import print_notice
        from training import track

        if given.startswith("models:/"):
            yield track.fetch_model(track.resolve_model(given), Path(folder))
            return
        from serving.export.to_onnx import export

        run_id = track.best_run(options.by, print_notice) if given == "best" else track.find_run(given).info.run_id
        path = Path(folder) / "model.onnx"
        print_notices(export(run_id, path, n_typical=0).notes)
        yield path


def _write(path: Path, model: "Model", predicted: "Iterator[Predicted]") -> tuple[dict[str, int], list[str]]:
    """Writes all rows, and returns how many images got which decision and the names of those that got none."""
    from data.tables.growing import grow_table

    card = model.card
    counts, unread = {"class": 0, "cluster": 0}, []
    with grow_table(path, _list_columns(card.classes)) as write:
        rows = []
        for found in predicted:
            rows.append(_make_row(found, card))
            if found.error:
                unread.append(found.name)
            else:
                counts[rows[-1]["decision"]] += 1  # type: ignore[index]
            if len(rows) == ROWS:
                write(rows)
                rows = []
        write(rows)
    return counts, unread


def _list_columns(classes: Sequence[str]) -> dict[str, type]:
    first = {"image": str, "decision": str, "class": str, "class_probability": float}
    last = {"cluster": int, "cluster_caption": str, "ambiguity": float, "error": str}
    return first | {f"p_{name}": float for name in classes} | last


def _make_row(found: "Predicted", card: "ModelCard") -> dict[str, object]:
    """The service's answer as one row; without prediction all but image and error are None."""
    from serving.model.scores import decide

    row: dict[str, object] = dict.fromkeys(_list_columns(card.classes))
    row |= {"image": found.name, "error": found.error or None}
    score = found.score
    if score is None:
        return row
    row |= {f"p_{name}": value for name, value in zip(card.classes, score.classes, strict=True)}
    return row | {
        "decision": decide(score),
        "class": card.classes[score.best],
        "class_probability": score.classes[score.best],
        "cluster": score.cluster,
        "cluster_caption": card.captions[score.cluster],
        "ambiguity": score.ambiguity,
    }
