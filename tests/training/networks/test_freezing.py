"""What is frozen stays as it is, weights and statistics; what is not is trained, at rates of its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data.errors import InputError
from tests.gpu.synthetic import CALM, SIZE, CutAt, train
from training.config import Config, check_config
from training.loop.checkpoint import load_checkpoint
from training.networks import build_backbone, build_network
from training.networks.backbone import Backbone
from training.options import LoopOptions, NetworkOptions, OptimiserOptions


@pytest.mark.parametrize(
    ("network", "last", "trained"),
    [
        ("small", "1", ("stages.2.",)),
        ("small", "3", ("stages.",)),
        ("wide_resnet_28_2", "1", ("blocks.8.", "blocks.9.", "blocks.10.", "blocks.11.", "norm.")),
        ("test_resnet", "2", ("net.layer3.", "net.layer4.")),
        ("test_vit", "1", ("net.blocks.5.", "net.norm.")),
        ("test_efficientnet", "1", ("net.blocks.4.", "net.conv_head.", "net.bn2.")),
    ],
)
def test_the_last_stages_are_trained(network: str, last: str, trained: tuple[str, ...]) -> None:
    backbone = build_backbone(NetworkOptions(network, freeze=last), 32)
    found = {name for name, weight in backbone.named_parameters() if weight.requires_grad}
    assert found == {name for name, _ in backbone.named_parameters() if name.startswith(trained)}


def test_frozen_stages_stay_in_evaluation_and_trained_ones_do_not() -> None:
    network = build_network(NetworkOptions("test_resnet", freeze="1"), 32, 3)
    for _ in range(2):  # built, and after an evaluation
        modes = {name: module.training for name, module in network.backbone.net.named_modules()}
        assert not any(modes[name] for name in ("conv1", "bn1", "layer1", "layer1.0.bn1", "layer3.0.bn2"))
        assert all(modes[name] for name in ("", "layer4", "layer4.0.bn1"))
        network.eval()
        assert not any(module.training for module in network.modules())
        network.train()


@pytest.mark.parametrize(("network", "most"), [("small", 3), ("test_vit", 6)])
@pytest.mark.parametrize("which", ["0", "99", "some", "-1", "1.5"])
def test_another_number_is_refused(network: str, most: int, which: str) -> None:
    with pytest.raises(InputError, match=f"--freeze {which}: the last N stages are trained, N from 1 to {most}"):
        build_backbone(NetworkOptions(network, freeze=which), 32)


@pytest.mark.parametrize("which", ["0", "some", "-1", "1.5", "", "ALL"])
def test_a_wrong_word_is_a_fault_of_the_configuration(which: str, tiny: Callable[..., Config]) -> None:
    config = replace(tiny(), network=NetworkOptions("small", freeze=which))
    with pytest.raises(InputError, match="freeze = .*: must be none, all, or the number of last stages"):
        check_config(config, "The command line")


def test_a_rate_that_would_count_for_nothing_is_a_fault(tiny: Callable[..., Config]) -> None:
    config = replace(tiny(), network=NetworkOptions("small", freeze="all"), optimiser=OptimiserOptions(backbone_lr=0.1))
    with pytest.raises(InputError, match="backbone_lr: with freeze = all nothing of the backbone is trained"):
        check_config(config, "The command line")
    config = replace(config, network=NetworkOptions("small"), optimiser=OptimiserOptions(lr=0.0, backbone_lr=0.1))
    with pytest.raises(InputError, match="backbone_lr: lr must be above 0 beside it"):
        check_config(config, "The command line")


def _make(which: str) -> Callable[[], Backbone]:
    return lambda: build_backbone(NetworkOptions("test_resnet", freeze=which), SIZE)


@pytest.mark.parametrize("method", ["mean_teacher", "mixmatch"])
@pytest.mark.parametrize(
    ("which", "moving"), [("none", ("",)), ("2", ("net.layer3.", "net.layer4.")), ("all", ()), ("1", ("net.layer4.",))]
)
def test_a_training_from_end_to_end_moves_what_is_not_frozen(
    which: str, moving: tuple[str, ...], method: str, tmp_path: Path
) -> None:
    """Student and average, weights and statistics, on images; and the head learns."""
    torch.manual_seed(0)
    begin = {f"backbone.{name}": values.clone() for name, values in _make(which)().state_dict().items()}
    averaged = train(tmp_path / "c.pt", method=method, backbone=_make(which), loop=LoopOptions(4, 2, 1))
    student = load_checkpoint(tmp_path / "c.pt", torch.device("cpu")).network
    for state in (student, averaged.state_dict()):
        for name, values in begin.items():
            is_moving = name.removeprefix("backbone.").startswith(moving)
            # a gain of one takes more than four small steps to leave it
            if not is_moving or values.ndim > 1 or name.endswith("running_mean"):
                assert torch.equal(state[name], values) != is_moving, name
        assert state["head.weight"].isfinite().all()
        assert state["head.bias"].any()


def test_it_goes_on_where_it_was_cut_at_two_rates(tmp_path: Path) -> None:
    options = {"backbone": _make("2"), "loop": LoopOptions(4, 2, 1), "optimiser": replace(CALM, backbone_lr=0.001)}
    whole = train(tmp_path / "whole.pt", **options).state_dict()
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut.pt", record=CutAt(3), **options)
    resumed = train(tmp_path / "cut.pt", **options).state_dict()
    assert all(torch.equal(values, whole[name]) for name, values in resumed.items())
