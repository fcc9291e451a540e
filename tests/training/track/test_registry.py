"""A model is registered with what it needs, and MLflow starts no other process to find that out."""

import subprocess
from importlib import metadata
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from training import track


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file that hands its input on."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("images", "classes")]
    graph = helper.make_graph([helper.make_node("Identity", ["images"], ["classes"])], "same", value[:1], value[1:])
    opsets = [helper.make_opsetid("", 20)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


@pytest.mark.filterwarnings("ignore")  # of MLflow's imports
def test_a_model_is_registered_with_its_requirements_and_without_another_process(
    store: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with track.open_run("one", tags={"dc3.kind": "train", "dc3.fingerprint": "f00d"}) as run_id:
        track.log_metrics({"degenerate": 0, "d_minus_f1": 0.5})

    def refuse(command: object, *arguments: object, **options: object) -> None:
        pytest.fail(f"another process: {command}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    version = track.register_onnx(run_id, model, "owls")
    fetched = track.fetch_model(track.RegisteredModel("owls", version), tmp_path / "fetched")
    needs = fetched.with_name("requirements.txt").read_text().split()
    assert {f"{name}=={metadata.version(name)}" for name in ("mlflow", "numpy", "onnx")} <= set(needs)
    assert any(line.startswith("onnxruntime") for line in needs)
