"""A model file is loaded with all it says of itself, or refused with the reason."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from data.images.deep import UNMEASURED
from serving.model import session as model_module
from serving.model.card import BadModel
from serving.model.session import Model, usable_providers
from tests.serving.running import CARD, TinyPredictor, make_images


def test_scores_are_those_of_the_network(model_path: Path) -> None:
    images = make_images(5, seed=4)
    scores = Model(model_path, threads=1).predict(images)
    with torch.inference_mode():
        expected = TinyPredictor().eval()(torch.from_numpy(images))
    for found, other in zip(scores, expected, strict=True):
        assert np.abs(found - other.numpy()).max() < 1e-4


def test_the_version_names_run_and_content(model_path: Path, tmp_path: Path) -> None:
    version = Model(model_path).version
    assert version.startswith("01234567-")
    other = tmp_path / "other.onnx"
    other.write_bytes(edit(model_path, lambda metadata: metadata.update(prior="0.5")))
    assert Model(other).version != version


def edit(path: Path, change: Callable[[dict[str, str]], object]) -> bytes:
    """The file with other metadata."""
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    change(metadata)
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString())


def without_numbers(path: Path) -> bytes:
    """The file with weights that are none, as a training that diverged leaves them."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = np.full_like(onnx.numpy_helper.to_array(tensor), np.nan)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda metadata: metadata.clear(), "classes is missing; captions is missing; .* Export it anew"),
        (lambda metadata: metadata.pop("captions"), "captions is missing"),
        (lambda metadata: metadata.update(classes="cat, dog"), "classes is 'cat, dog'"),
        (lambda metadata: metadata.update(input_size='"16"'), "input_size is"),
        (lambda metadata: metadata.update(metrics="[" * 100_000), "metrics is '"),
        (lambda metadata: metadata.update(reading="[]"), "reading is '\\[\\]'"),
        (lambda metadata: metadata.update(reading='{"page": 0}'), "reading is .*has ranges and page"),
        (lambda metadata: metadata.update(prior="true"), "prior is 'true'"),
        (lambda metadata: metadata.update(format_version="2"), "format version 2, this program reads 1"),
        (lambda metadata: metadata.update(input_size="32"), r"must take one input images \(N, 32, 32, 3\)"),
        (lambda metadata: metadata.update(classes=json.dumps(["cat"])), "'class_probabilities': 1"),
    ],
)
def test_wrong_metadata_is_named(
    model_path: Path, tmp_path: Path, change: Callable[[dict[str, str]], object], message: str
) -> None:
    path = tmp_path / "edited.onnx"
    path.write_bytes(edit(model_path, change))
    with pytest.raises(BadModel, match=message):
        Model(path)


def test_a_file_of_an_older_export_reads_images_as_before(model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    path.write_bytes(edit(model_path, lambda metadata: metadata.pop("reading")))
    assert Model(path).card.reading == UNMEASURED
    assert Model(model_path).card.reading == CARD.reading != UNMEASURED


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="cannot be read: No such file"):
        Model(tmp_path / "absent.onnx")
    path = tmp_path / "text.onnx"
    path.write_text("no model")
    with pytest.raises(BadModel, match="is no ONNX model"):
        Model(path)


def test_a_model_that_cannot_answer_is_refused_before_it_is_asked(model_path: Path, tmp_path: Path) -> None:
    Model(model_path).warm_up()
    path = tmp_path / "diverged.onnx"
    path.write_bytes(without_numbers(model_path))
    with pytest.raises(BadModel, match=r"diverged\.onnx was loaded but cannot answer: .* finite; export it anew"):
        Model(path).warm_up()


def test_scores_that_are_no_numbers_raise(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(model_path)

    class Broken:
        def run(self, *_: object) -> list[np.ndarray]:
            return [np.full((1, 3), np.nan), np.ones((1, 6)), np.ones(1), np.ones((1, 12))]

    monkeypatch.setattr(model, "_session", Broken())
    with pytest.raises(FloatingPointError):
        model.predict(make_images(1))


def test_cuda_is_taken_only_with_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(model_module.onnxruntime, "get_available_providers", lambda: available)
    monkeypatch.setattr(model_module.onnxruntime, "preload_dlls", lambda: None)
    monkeypatch.setattr(model_module, "_n_cuda_devices", lambda: 0)
    assert usable_providers() == ("CPUExecutionProvider",)
    monkeypatch.setattr(model_module, "_n_cuda_devices", lambda: 1)
    assert usable_providers() == ("CUDAExecutionProvider", "CPUExecutionProvider")


def test_loading_prints_nothing(model_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Model(model_path).predict(make_images(1))
    assert capfd.readouterr() == ("", "")


def test_a_bound_run_gives_what_an_ordinary_one_gives(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # onnxruntime binds on the processor's memory too, so that all but the device's name is tried without a GPU.
    images = make_images(5, seed=4)
    model = Model(model_path, threads=1, providers=("CPUExecutionProvider",))
    expected = model.predict(images)
    bound: list[str] = []
    binding_type = type(model._session.io_binding())
    bind = binding_type.bind_output
    monkeypatch.setattr(model, "providers", ("CUDAExecutionProvider", "CPUExecutionProvider"))
    monkeypatch.setattr(
        binding_type, "bind_output", lambda self, name, device: (bound.append(device), bind(self, name))
    )
    for found, other in zip(model.predict(images[:, ::-1][:, ::-1]), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=1e-6)
    assert bound == ["cuda"] * 4


@pytest.mark.gpu
@pytest.mark.skipif(usable_providers()[0] != "CUDAExecutionProvider", reason="onnxruntime sees no CUDA device")
def test_cuda_scores_are_those_of_the_processor(model_path: Path) -> None:
    images = make_images(5, seed=4)
    expected = Model(model_path, providers=("CPUExecutionProvider",)).predict(images)
    model = Model(model_path)
    assert model.providers[0] == "CUDAExecutionProvider"
    for found, other in zip(model.predict(images), expected, strict=True):
        np.testing.assert_allclose(found, other, atol=1e-3)
