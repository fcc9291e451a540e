"""Which weights the optimiser moves, and at which rate."""

import pytest
import torch

from training.loop.schedule import build_optimiser, restore_optimiser, set_learning_rate
from training.networks import build_network
from training.networks.heads import Network
from training.options import NetworkOptions, OptimiserOptions


def _build(freeze: str = "none") -> Network:
    return build_network(NetworkOptions("small", freeze=freeze, hidden=8), 16, 3)


def _rates(optimiser: torch.optim.Optimizer, network: Network) -> dict[str, tuple[float, float]]:
    """Rate and decay of each weight, by name."""
    by_weight = {
        id(weight): (float(group["lr"]), group["weight_decay"])
        for group in optimiser.param_groups
        for weight in group["params"]
    }
    return {name: by_weight[id(weight)] for name, weight in network.named_parameters() if id(weight) in by_weight}


@pytest.mark.parametrize("backbone_lr", [None, 0.001])
def test_backbone_and_head_have_rates_of_their_own(backbone_lr: float | None) -> None:
    network = _build()
    optimiser = build_optimiser(network, OptimiserOptions(lr=0.1, backbone_lr=backbone_lr, weight_decay=0.3))
    for begin, share in ((None, 1.0), (0.05, 0.5)):  # at the start, and later on the schedule
        if begin is not None:
            set_learning_rate(optimiser, begin)
        for name, (rate, decay) in _rates(optimiser, network).items():
            own = backbone_lr if backbone_lr and name.startswith("backbone.") else 0.1
            assert rate == pytest.approx(own * share), name
            assert decay == (0.3 if network.get_parameter(name).ndim > 1 else 0.0), name
    assert len(_rates(optimiser, network)) == len(list(network.parameters()))
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(list(network.parameters()))


@pytest.mark.parametrize(("freeze", "moving"), [("all", ("head.",)), ("1", ("head.", "backbone.stages.2."))])
@pytest.mark.parametrize("backbone_lr", [None, 0.001])
def test_frozen_weights_are_in_no_group(freeze: str, moving: tuple[str, ...], backbone_lr: float | None) -> None:
    network = _build(freeze)
    optimiser = build_optimiser(network, OptimiserOptions(backbone_lr=backbone_lr))
    wanted = {name for name, _ in network.named_parameters() if name.startswith(moving)}
    assert set(_rates(optimiser, network)) == wanted


def test_momenta_of_before_there_were_two_rates_are_taken_over() -> None:
    network = _build()
    optimiser = build_optimiser(network, OptimiserOptions())
    network(torch.zeros(2, 3, 16, 16)).classes.sum().backward()
    optimiser.step()
    kept = optimiser.state_dict()
    for group in kept["param_groups"]:
        del group["share"]
    again = build_optimiser(network, OptimiserOptions(lr=0.2))
    restore_optimiser(again, kept)
    set_learning_rate(again, 0.2)
    assert {float(group["lr"]) for group in again.param_groups} == {0.2}
    assert len(again.state) == len(optimiser.state) > 0
