"""Export: a trained network to one ONNX file that answers as PyTorch does, or to no file at all."""

import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch

from serving.export.quantise import Precision, measure_speed_up, quantise
from serving.model.card import OUTPUTS, BadModel, ModelCard
from serving.model.session import Model, Scores
from serving.model.typical_files import encode_typical
from training.features.graph import to_graph

if TYPE_CHECKING:
    from data.predictions import Predictions
    from training.train import TrainedRun

TOLERANCE = 1e-4
BATCHES = (1, 3, 64)
"""Batch sizes at which the file is compared; the last is also the number of images wanted for it."""
N_CALIBRATION = 256
N_TYPICAL = 6
MAX_LOSS = 0.005
"""Half a point of F1, d or the AUROC of the ambiguity."""
MAX_FILE_BYTES = 2**31 - 1
InputType = Literal["uint8", "float32"]


class Exported(NamedTuple):
    """What was written."""

    card: ModelCard
    speed_up: float
    """Times faster than the float32 file on this machine; 1 for that file itself."""
    notes: tuple[str, ...]
    """What could not be done because the run's images are gone or changed."""


def export(
    run: str,
    path: Path,
    input_type: InputType = "uint8",
    precision: Precision = "float32",
    n_typical: int = N_TYPICAL,
) -> Exported:
    """Writes the model of the MLflow run `run` to `path`, checked on images of the run's own data.

    All that the file says comes from the run's record; today's vote table is not read. `n_typical` images a cluster
    travel along, none where it is 0, and only those that are still what they were.
    Raises BadModel when the float32 file would not answer as the network does, or one of another precision would be
    worse on the validation images by more than half a point, or cannot be compared on them.
    """
    from training.networks.origin import find_origin
    from training.run_data import find_images
    from training.train import load_run

    trained = load_run(run)
    network = trained.config.network
    origin = find_origin(network.network, network.pretrained)
    typical = choose_typical(trained.predictions, len(trained.captions), n_typical)
    shown = [name for names in typical for name in names]
    sample, calibration = (spread(trained.data.names, count) for count in (BATCHES[-1], N_CALIBRATION))
    validation = [str(name) for name in trained.predictions.part("validation").images]
    needed = [*shown, *sample, *(() if precision == "float32" else (*calibration, *validation))]
    pixels, lacking = find_images(trained.data, trained.config, list(dict.fromkeys(needed)))
    if lacking and precision != "float32":
        raise BadModel(f"Export to {precision} is checked on the run's images, but {lacking}. Export to float32.")
    card = ModelCard(
        classes=trained.data.classes,
        captions=trained.captions,
        input_size=trained.config.data.size,
        run_id=trained.run_id,
        prior=trained.config.dc3.prior,
        variant=trained.config.variant,
        metrics=trained.metrics,
        fingerprint=trained.data.fingerprint,
        precision=precision,
        reading=trained.data.reading,
        sorting={"by": trained.config.sorting.sorting, **trained.predictor.sorting.facts()},
        network=network.network,
        weights=origin.source,
        licence=origin.licence,
        typical=encode_typical([[pixels[name] for name in names if name in pixels] for names in typical]),
    )
    images = _stack(pixels, sample) if any(name in pixels for name in sample) else _make_noise(card.input_size)
    if precision == "float32":
        export_onnx(trained.predictor, card, images, path, input_type)
        return Exported(card, 1.0, _explain(lacking, shown, sample, pixels))
    with tempfile.TemporaryDirectory() as folder:
        full, small = Path(folder) / "full.onnx", Path(folder) / "small.onnx"
        export_onnx(trained.predictor, card, images, full, input_type)
        shutil.copy(full, small)
        quantise(small, precision, _stack(pixels, calibration).astype(input_type))
        check_quality(small, trained, _stack(pixels, validation))
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target first: a move between file systems could be seen half done.
        beside = shutil.copy(small, path.with_name(f".{path.name}.new"))
        Path(beside).replace(path)
        return Exported(card, measure_speed_up(full, small, images.astype(input_type)), ())


def choose_typical(predictions: "Predictions", n_clusters: int, count: int) -> list[list[str]]:
    """Names of up to `count` images of each cluster, most typical first; no entry at all where `count` is 0.

    They are the cluster's ambiguous images, or all of its images where none is ambiguous, as for its caption.
    """
    from data.clusters import list_clusters

    if not count:
        return []
    everything = predictions._replace(ambiguity=np.ones_like(predictions.ambiguity))
    members = {cluster.number: cluster.members for cluster in list_clusters(everything)}
    members |= {cluster.number: cluster.members for cluster in list_clusters(predictions)}
    return [[str(predictions.images[row]) for row in members.get(number, [])[:count]] for number in range(n_clusters)]


def _stack(pixels: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """(M, size, size, 3) those of the named images that are there."""
    return np.stack([pixels[name] for name in names if name in pixels])


def _make_noise(size: int) -> np.ndarray:
    """(64, size, size, 3) uint8 pixels for the check of a file whose images are gone: drawn, always the same."""
    return np.random.default_rng(0).integers(0, 256, (BATCHES[-1], size, size, 3), np.uint8)


def _explain(
    lacking: str, shown: Sequence[str], sample: Sequence[str], pixels: Mapping[str, np.ndarray]
) -> tuple[str, ...]:
    if not lacking:
        return ()
    found = sum(name in pixels for name in shown)
    checked = sum(name in pixels for name in sample)
    check = f"on {checked} of them" if checked else "on drawn pixels in their place"
    return (f"{lacking}; {found} of {len(shown)} typical images travel along, the file was compared {check}",)


def check_quality(path: Path, trained: "TrainedRun", images: np.ndarray) -> None:
    """Raises BadModel when the file is worse than the run on its validation images by more than half a point.

    `images` (M, size, size, 3) are those of `trained.predictions.part("validation")`.
    """
    from training.evaluate.metrics import evaluate

    before = trained.predictions.part("validation")
    model = Model(path)
    batches = [model.predict(batch) for batch in np.array_split(images, math.ceil(len(images) / BATCHES[-1]))]
    scores = Scores(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))
    after = before._replace(classes=scores.classes, clusters=scores.clusters, ambiguity=scores.ambiguity)
    aware = trained.predictor.ambiguity_aware
    old, new = dict(evaluate(before, aware)), dict(evaluate(after, aware))
    faults = [
        f"{name} goes from {old[name]:.4f} to {new.get(name, math.nan):.4f}"
        for name, sign in (("f1", 1), ("d", -1), ("ambiguity_auroc", 1))
        if name in old and not sign * (old[name] - new.get(name, math.nan)) <= MAX_LOSS
    ]
    if faults:
        raise BadModel(
            f"Export refused: on the validation images {'; '.join(faults)}, {MAX_LOSS} may be lost. No file."
        )


def spread(names: Sequence[str], count: int) -> list[str]:
    """`count` names at even distances, all of them where there are fewer."""
    places = np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).astype(int))
    return [names[place] for place in places]


def export_onnx(
    predictor: torch.nn.Module,
    card: ModelCard,
    images: np.ndarray,
    path: Path,
    input_type: InputType = "uint8",
) -> None:
    """Writes `predictor`, which maps (N, H, W, 3) in 0..255 to the four OUTPUTS, to `path`.

    `images` (M, size, size, 3) uint8 are real ones: outputs of the file and of the network may differ on them by
    1e-4 (the unbounded embedding: by 1e-4 of its largest value), at several batch sizes. Raises BadModel otherwise,
    and leaves whatever stood at `path`.
    """
    _check_input(card, images)
    predictor = predictor.eval().cpu()
    batch = torch.from_numpy(images.astype(input_type))
    with torch.inference_mode():
        expected = [output.numpy() for output in predictor(batch)]
    _check_outputs(card, expected, len(images))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".onnx", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        _write(predictor, card, batch, temporary)
        check_parity(temporary, batch.numpy(), expected)
        temporary.chmod(0o644)  # mkstemp's files are for their owner alone, the service may be someone else
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_parity(path: Path, images: np.ndarray, expected: list[np.ndarray]) -> None:
    """Compares the file's outputs on `images` with the network's; raises BadModel on a difference."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for size in BATCHES:
        size = min(size, len(images))
        starts = range(0, len(images) - size + 1, size)
        for start in starts if size > 1 else range(min(8, len(images))):
            found = session.run(OUTPUTS, {"images": images[start : start + size]})
            for name, one, other in zip(OUTPUTS, found, expected, strict=True):
                _compare(name, one, other[start : start + size], size)


def _compare(name: str, found: np.ndarray, expected: np.ndarray, size: int) -> None:
    if found.shape != expected.shape:
        raise BadModel(f"Export refused: {name} is {found.shape} from ONNX, {expected.shape} from PyTorch.")
    allowed = TOLERANCE * max(1.0, float(np.abs(expected).max()) if name == "embedding" else 1.0)
    difference = float(np.abs(found.astype(np.float64) - expected).max())
    if not difference <= allowed:
        raise BadModel(
            f"Export refused: ONNX and PyTorch may differ by {allowed:.1e}, but {name} differs by {difference:.1e} "
            f"at batch size {size}. No file was written."
        )


def _check_input(card: ModelCard, images: np.ndarray) -> None:
    size = card.input_size
    if images.dtype != np.uint8 or images.shape[1:] != (size, size, 3) or len(images) < 1:
        raise BadModel(
            f"The check needs images (N, {size}, {size}, 3) uint8, N > 0; got {images.shape} {images.dtype}."
        )


def _check_outputs(card: ModelCard, outputs: list[np.ndarray], count: int) -> None:
    shapes = [output.shape for output in outputs]
    wanted = [(count, len(card.classes)), (count, len(card.captions)), (count,)]
    if len(shapes) != 4 or shapes[:3] != wanted or len(shapes[3]) != 2:
        raise BadModel(f"The network must give {OUTPUTS}, shapes {wanted} and (N, F); it gives {shapes}.")
    for name, output in zip(OUTPUTS, outputs, strict=True):
        if not np.isfinite(output).all():
            raise BadModel(f"Export refused: {name} of the network is not finite on {count} images.")


def _write(predictor: torch.nn.Module, card: ModelCard, batch: torch.Tensor, path: Path) -> None:
    try:
        model = to_graph(predictor, batch, OUTPUTS)
    except torch.onnx.OnnxExporterError as error:
        raise BadModel(
            "Export refused: torch cannot write this network as a graph. What hangs on the values of images"
            " must be tensor operations (torch.where), never `if`. No file was written."
        ) from error
    onnx.helper.set_model_props(model, card.to_metadata())
    if model.ByteSize() > MAX_FILE_BYTES:
        raise BadModel(f"One ONNX file holds up to 2 GiB, this network takes {model.ByteSize():,} bytes.")
    onnx.save(model, path)
