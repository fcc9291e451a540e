"""What computes the features: the graph that is exported, by onnxruntime, or torch where that is not installed."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from data.errors import InputError
from data.ingest import Dataset
from serving.export.to_onnx import export_onnx
from serving.model.session import Model
from tests.serving.running import CARD
from tests.training.features.conftest import SIZE, Opener, build_tiny
from training.evaluate.predict import Predictor
from training.features import extractor as extractor_module
from training.features.extractor import CPU_BATCH, build_extractor, n_threads
from training.networks.heads import Network

CPU = torch.device("cpu")


def write_model(network: Network, dataset: Dataset, path: Path) -> Path:
    """Exports as `dc3 export` does."""
    head = network.head
    card = dataclasses.replace(
        CARD,
        classes=tuple("abc"),
        captions=tuple(str(number) for number in range(head.n_clusters)),
        input_size=SIZE,
        typical=(),
    )
    export_onnx(Predictor(network, True), card, dataset.images[:64], path)
    return path


@pytest.mark.parametrize("input_size", [0, 24])
def test_features_are_the_embedding_of_the_exported_file(
    input_size: int, opener: Opener, dataset: Dataset, tmp_path: Path
) -> None:
    network = build_tiny(input_size=input_size).eval()
    served = Model(write_model(network, dataset, tmp_path / "model.onnx"), providers=("CPUExecutionProvider",))
    embedding = served.predict(dataset.images[:CPU_BATCH]).embedding
    found = opener(network=network, cache=tmp_path / "bank").plain[:CPU_BATCH]
    # the very graph, at the same batch size: what differs is the rounding to float16
    np.testing.assert_allclose(found, embedding.astype(np.float16), rtol=2**-10, atol=1e-7)


def test_the_graph_is_the_exported_one_up_to_the_features(network: Network, dataset: Dataset, tmp_path: Path) -> None:
    exported = onnx.load(write_model(network.eval(), dataset, tmp_path / "model.onnx"))
    ours = onnx.load_from_string(extractor_module.write_graph(network, SIZE))
    assert ours.opset_import[0].version == exported.opset_import[0].version
    steps = [node.op_type for node in ours.graph.node]
    assert steps == [node.op_type for node in exported.graph.node][: len(steps)]
    assert steps.count("Conv") == 10


@pytest.mark.parametrize("lacking", ["onnx", "onnxruntime"])
def test_where_the_library_is_lacking_torch_computes_the_same(
    lacking: str, network: Network, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = build_extractor(network, SIZE, CPU)
    monkeypatch.setitem(sys.modules, lacking, None)
    found = build_extractor(network, SIZE, CPU)
    assert (expected.where, found.where) == (f"onnxruntime on the CPU, {n_threads()} thread(s)", "torch on cpu")
    pixels = dataset.images[:8]
    np.testing.assert_allclose(found.run(pixels), expected.run(pixels), rtol=1e-4, atol=1e-5)


def test_a_gpu_that_onnxruntime_cannot_use_computes_by_torch(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractor_module, "_by_torch", lambda network, device: device)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert build_extractor(network, SIZE, torch.device("cuda")) == torch.device("cuda")


def test_it_takes_as_many_threads_as_torch_may(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    monkeypatch.setattr(extractor_module, "usable_cores", lambda: 3)
    seen: list[int] = []
    opened = onnxruntime.InferenceSession

    def note(graph: bytes, options: onnxruntime.SessionOptions, **rest: object) -> onnxruntime.InferenceSession:
        seen.append(options.intra_op_num_threads)
        return opened(graph, options, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", note)
    build_extractor(network, SIZE, CPU)
    assert seen == [3]


def test_a_backbone_that_is_no_graph_is_an_error_with_the_remedy(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise torch.onnx.OnnxExporterError("a branch")

    monkeypatch.setattr(extractor_module, "to_graph", refuse)
    with pytest.raises(InputError, match="Take another --network, or train it as a whole by --freeze none"):
        build_extractor(network, SIZE, CPU)
