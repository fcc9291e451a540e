"""From a training run to answers over HTTP: export and service say what the run predicted."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest
from PIL import Image

from data.images.decoding import resize
from data.predictions import read_predictions
from data.sources import SOURCES
from serving.model.session import Model
from tests.data.images.test_decoding import encode
from tests.serving.running import ROOT, serve
from tests.stores import clean_environment
from training.config import load_preset

pytestmark = pytest.mark.slow

_TRAIN = """
from dataclasses import replace
from training.config import load_preset
from training.train import train
config = load_preset("digits")
config = replace(config, loop=replace(config.loop, steps=4, evaluate_every=4))
result = train(config, with_report=False, show_progress=False)
print(result.run_id, result.predictions)
"""


_QUANTISE = """
import sys
from pathlib import Path
from serving.export import to_onnx as export
run, path = sys.argv[1], Path(sys.argv[2])
export.MAX_LOSS = -1
try:
    export.export(run, path, precision="int8")
except export.BadModel as error:
    print(error)
assert not path.exists()
export.MAX_LOSS = 0.2
export.export(run, path, precision="int8")
"""


class Run(NamedTuple):
    """A short training on the embedded digits."""

    id: str
    predictions: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of four steps in a store of its own; another process, as MLflow's imports warn."""
    store = tmp_path_factory.mktemp("store")
    environment = {**clean_environment(), "DC3_STORE": str(store), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _TRAIN]
    done = subprocess.run(command, cwd=store, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    run_id, predictions = done.stdout.split()[-2:]
    return Run(run_id, Path(predictions), environment)


def test_served_answers_equal_the_run_s_predictions(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    command = [sys.executable, "-m", "dc3", "export", run.id, "--output", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env=run.environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"run {run.id}" in done.stdout
    predictions = read_predictions(run.predictions)
    card = Model(path).card
    assert (card.run_id, card.classes, card.variant, card.prior) == (run.id, predictions.class_names, "dc3", 0.6)
    assert len(card.captions) == predictions.clusters.shape[1]
    config = load_preset("digits").data
    source = SOURCES[config.source](config)
    rows = np.linspace(0, len(predictions.images) - 1, 64).astype(int)
    pictures = [resize(source.read(str(name)), config.size) for name in predictions.images[rows]]
    with serve(path, tmp_path / "server") as server:
        files = [("f", (str(place), encode(Image.fromarray(image), "PNG"))) for place, image in enumerate(pictures)]
        answers = httpx.post(f"{server.url}/predict", files=files, timeout=60).json()["answers"]
    found = np.array([[entry["class_probabilities"][name] for name in card.classes] for entry in answers])
    assert np.abs(found - predictions.classes[rows]).max() < 1e-4
    assert np.abs(np.array([entry["ambiguity"] for entry in answers]) - predictions.ambiguity[rows]).max() < 1e-4
    assert [entry["cluster"] for entry in answers] == predictions.clusters[rows].argmax(1).tolist()
    assert [entry["decision"] == "class" for entry in answers] == predictions.certain[rows].tolist()


def test_a_quantised_file_is_checked_on_the_validation_images(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    command = [sys.executable, "-c", _QUANTISE, run.id, str(path)]
    done = subprocess.run(command, env=run.environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "Export refused: on the validation images f1 goes from" in done.stdout
    assert Model(path).card.precision == "int8"
    assert path.stat().st_size < 700_000
    assert list(tmp_path.iterdir()) == [path]
