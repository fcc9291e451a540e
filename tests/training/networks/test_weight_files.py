"""A file of weights is taken in each form in which they are handed on; a wrong one is refused and says why."""

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from data.errors import InputError
from training.networks import build_backbone
from training.options import NetworkOptions

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def held() -> State:
    """Of a small network with its classifier."""
    torch.manual_seed(7)
    return timm.create_model("test_resnet", num_classes=10).state_dict()


def _load(path: Path, network: str = "test_resnet", size: int = 32) -> State:
    return build_backbone(NetworkOptions(network, str(path)), size).net.state_dict()


FORMS: dict[str, Callable[[State], object]] = {
    "bare": lambda held: held,
    "without classifier": lambda held: {key: value for key, value in held.items() if not key.startswith("fc.")},
    "state_dict": lambda held: {"state_dict": held, "epoch": 3},
    "model": lambda held: {"model": held},
    "of several cards": lambda held: {"state_dict": {f"module.{key}": value for key, value in held.items()}},
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_torch_is_taken(form: str, held: State, tmp_path: Path) -> None:
    torch.save(FORMS[form](held), tmp_path / "w.pth")
    found = _load(tmp_path / "w.pth")
    assert all(torch.equal(value, held[key]) for key, value in found.items())


def test_safetensors_are_taken(held: State, tmp_path: Path) -> None:
    save_file(held, tmp_path / "w.safetensors")
    assert torch.equal(_load(tmp_path / "w.safetensors")["conv1.0.weight"], held["conv1.0.weight"])


def test_a_transformer_s_places_are_brought_to_the_input_s_size(tmp_path: Path) -> None:
    torch.manual_seed(7)
    source = timm.create_model("test_vit").state_dict()
    torch.save(source, tmp_path / "w.pth")
    found = _load(tmp_path / "w.pth", "test_vit", 32)
    assert source["pos_embed"].shape[1] > found["pos_embed"].shape[1] == 5, "2 x 2 patches of 16 px and the class's"
    assert torch.equal(found["blocks.3.mlp.fc1.weight"], source["blocks.3.mlp.fc1.weight"])


def test_what_is_missing_is_named(held: State, tmp_path: Path) -> None:
    cut = {key: value for key, value in held.items() if key not in ("layer2.0.conv1.weight", "layer4.0.bn1.bias")}
    torch.save(cut, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"another network than test_resnet: layer2.0.conv1.weight, layer4.0.bn1.bias"):
        _load(tmp_path / "w.pth")


@pytest.mark.parametrize("other", ["test_vit", "test_efficientnet"])
def test_weights_of_another_network_are_refused(other: str, held: State, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "w.pth")
    with pytest.raises(InputError, match=f"w.pth holds weights of another network than {other}"):
        _load(tmp_path / "w.pth", other)


def test_a_deeper_network_does_not_pass_for_a_shallower_one(tmp_path: Path) -> None:
    """All of ResNet-18's names and shapes are in ResNet-34."""
    torch.save(timm.create_model("resnet34").state_dict(), tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"a deeper network than resnet18: it has layer1.2.conv1.weight, .* too"):
        _load(tmp_path / "w.pth", "resnet18")


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with pytest.raises(InputError, match=f"No pretrained weights at {path}: give the .safetensors or .pth file of"):
        _load(path)
    with pytest.raises(InputError, match=f"No pretrained weights at {tmp_path}"):
        _load(tmp_path)
    for content in (b"", b"PK\x03\x04 no archive", b"<html>404</html>"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="holds no weights that torch or safetensors can read safely"):
            _load(path)
        (tmp_path / "w.safetensors").write_bytes(content)
        with pytest.raises(InputError, match="holds no weights that torch or safetensors can read safely"):
            _load(tmp_path / "w.safetensors")
    for value in ([1, 2], torch.zeros(2), {"a": 1}, {"state_dict": 3}):
        torch.save(value, path)
        with pytest.raises(InputError, match=r"holds no (tensors|weights)"):
            _load(path)


class Runs:
    """A pickle that would run code where it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return print, ("run",)


def test_a_file_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": Runs()}, tmp_path / "w.pth")
    with pytest.raises(InputError, match="can read safely"):
        _load(tmp_path / "w.pth")
    assert "run" not in capsys.readouterr().out
