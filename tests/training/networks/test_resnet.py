"""torchvision's ResNets take the weights that the user has."""

from pathlib import Path

import pytest
import torch
from torchvision import models

from data.errors import InputError
from training.networks import build_network
from training.options import NetworkOptions


def test_pretrained_weights_are_loaded_except_the_head(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = models.resnet18(weights=None)
    torch.save(source.state_dict(), tmp_path / "w.pth")
    network = build_network(NetworkOptions("resnet18", str(tmp_path / "w.pth")), 32, 3)
    assert torch.equal(network.backbone.net.conv1.weight, source.conv1.weight)
    source.fc = torch.nn.Identity()
    source.eval(), network.eval()
    images = torch.rand(2, 3, 32, 32) * 2 - 1  # as augmented; the network itself brings them to ImageNet's range
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = ((images + 1) / 2 - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    torch.testing.assert_close(network.features(images), source(normal))


def test_missing_or_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No pretrained weights at"):
        build_network(NetworkOptions("resnet18", str(tmp_path / "none.pth")), 32, 3)
    torch.save(models.resnet50(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(InputError, match="weights of another network"):
        build_network(NetworkOptions("resnet18", str(tmp_path / "w.pth")), 32, 3)
    with pytest.raises(InputError, match=r"--pretrained .* Small takes no weights .* leave --pretrained out"):
        build_network(NetworkOptions("small", str(tmp_path / "w.pth")), 32, 3)
