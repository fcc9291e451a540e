"""Names of networks: which may be given, what is told of them, and without which libraries."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from data.errors import InputError
from training.config import Config, check_config
from training.networks import BACKBONES, build_backbone
from training.networks.embedded import EMBEDDED
from training.networks.names import count_weights, find_fault, list_networks
from training.options import NetworkOptions


@pytest.mark.parametrize(
    "name", [*BACKBONES, *EMBEDDED, "resnet18", "resnet50", "resnet18.a1_in1k", "vit_base_patch16_clip_224.openai"]
)
def test_it_may_be_named(name: str) -> None:
    assert find_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Small", "small"),
        ("wide_resnet28_2", "wide_resnet_28_2"),
        ("resent18", "resnet18"),
        ("tf_efficientnet_lite_0", "tf_efficientnet_lite0"),
        ("resnet18.a1_in1", "resnet18.a1_in1k"),
    ],
)
def test_a_wrong_name_is_a_fault_with_the_nearest(name: str, nearest: str, tiny: Callable[..., Config]) -> None:
    config = replace(tiny(), network=NetworkOptions(name))
    with pytest.raises(InputError) as refused:
        check_config(config, "The command line")
    told = str(refused.value)
    assert f"network = '{name}': must be wide_resnet_28_2, small, or a model of timm" in told
    assert f"(did you mean {nearest}" in told or f" or {nearest}" in told
    assert len(told) < 400, "and not all thousand of them"


@pytest.mark.parametrize("name", ["", "hf-hub:timm/resnet18", "local-dir:/tmp"])
def test_what_is_no_name_of_timm_s_list_is_a_fault(name: str) -> None:
    """timm would take the second from the hub, whatever code or licence it has."""
    assert "must be wide_resnet_28_2, small, or a model of timm" in find_fault(name)


WITHOUT = """
import sys
for name in ("timm", "torchvision", "safetensors", "huggingface_hub"):
    sys.modules[name] = None
from training.networks import build_network
from training.networks.names import find_fault
from training.options import NetworkOptions
for name in ("small", "wide_resnet_28_2"):
    build_network(NetworkOptions(name, freeze="1", input_size=24), 16, 3)
assert [find_fault(name) for name in ("small", "wide_resnet_28_2", "tf_efficientnet_lite0")] == ["", "", ""]
print(find_fault("resnet18"))
"""


def test_our_own_need_no_timm() -> None:
    """A borrowed GPU machine has none."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "which is not installed here: `pip install timm`" in done.stdout


def test_ours_come_first_then_the_embedded_ones_then_each_once() -> None:
    listed = list_networks()
    names = [known.name for known in listed]
    assert names[:5] == [*BACKBONES, *EMBEDDED]
    assert len(names) == len(set(names)) > 1500
    assert {known.name for known in listed if known.weights == "embedded"} == set(EMBEDDED)
    by_name = {known.name: known for known in listed}
    assert by_name["small"][1:] == (None, "none", "")
    assert by_name["tf_efficientnet_lite0"][1:] == (224, "embedded", "apache-2.0")
    assert by_name["vit_small_patch14_dinov2.lvd142m"][1:] == (518, "hub", "apache-2.0")
    assert by_name["vit_small_patch16_dinov3.lvd1689m"].licence == "dinov3-license"
    assert by_name["convnext_atto_rms"][2:] == ("none", "")
    assert all(find_fault(name) == "" for name in names[::200])  # each takes a while


def test_a_word_finds_parts_of_names() -> None:
    assert [known.name for known in list_networks("small") if known.weights == "none"][:1] == ["small"]
    assert {"dinov2" in known.name for known in list_networks("dinov2")} == {True}
    assert list_networks("no such") == []


@pytest.mark.parametrize("name", ["small", "test_resnet", "resnet18"])
def test_weights_are_counted_without_the_classifier(name: str) -> None:
    backbone = build_backbone(NetworkOptions(name), 32)
    assert count_weights(name) == sum(weight.numel() for weight in backbone.parameters())
