"""Writes what every contestant gets: the two exported networks, their INT8 files, and JPEG bodies of real images.

The weights are untrained: they cost the same time as trained ones. The files are made by the code of `dc3 export`,
so they are what it would write; the INT8 ones skip its quality gate, which says nothing of an untrained network.
"""

import io
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.serving.bodies import write_bodies
from data.images.decoding import decode, resize
from serving.export.quantise import quantise
from serving.export.to_onnx import BATCHES, export_onnx
from serving.model.card import ModelCard
from training.evaluate.predict import Predictor
from training.networks import build_network
from training.options import NetworkOptions

N_BODIES = 256
N_CALIBRATION = 64
QUALITY = 90
"""Of the JPEG bodies."""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Network(NamedTuple):
    """A network of the benchmark."""

    network: str
    size: int


NETWORKS = {"wrn": Network("wide_resnet_28_2", 32), "resnet18": Network("resnet18", 96)}


def make_inputs(name: str, images: Path, folder: Path) -> None:
    """Writes model.onnx, int8.onnx and the bodies of network `name` into `folder`; `images` is a ZIP archive."""
    folder.mkdir(parents=True, exist_ok=True)
    network = NETWORKS[name]
    arrays = _read(images, network.size)
    torch.manual_seed(0)
    clusters = 5 * len(CLASSES)
    trained = build_network(NetworkOptions(network.network), network.size, len(CLASSES))
    card = ModelCard(
        classes=CLASSES,
        captions=tuple(f"cluster {number}" for number in range(clusters)),
        input_size=network.size,
        run_id="untrained",
        prior=0.5,
        variant="dc3",
        metrics={},
        fingerprint="none",
    )
    model = folder / "model.onnx"
    export_onnx(Predictor(trained, ambiguity_aware=True), card, arrays[: BATCHES[-1]], model)
    small = Path(shutil.copy(model, folder / "int8.onnx"))
    quantise(small, "int8", arrays[:N_CALIBRATION])
    write_bodies([_to_jpeg(array) for array in arrays], folder)


def _read(images: Path, size: int) -> np.ndarray:
    with zipfile.ZipFile(images) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[:N_BODIES]
        return np.stack([resize(decode(archive.read(name), name), size) for name in names])


def _to_jpeg(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
