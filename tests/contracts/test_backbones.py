"""Every backbone keeps its contract, ours and small ones of timm; faulty ones are refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.contracts import backbone_checks
from tests.contracts.backbone_checks import CHECKS, Make
from tests.contracts.plug_ins import GroupNormed
from training.networks import BACKBONES
from training.networks.backbone import Backbone
from training.networks.from_timm import FromTimm
from training.networks.normalisation import Normalisation, Normalise
from training.networks.small import Small

every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


# a convolutional network that normalises by the batch, a transformer of one size
OF_TIMM = {name: partial(FromTimm, name) for name in ("test_resnet", "test_vit")}


@every_check
@pytest.mark.parametrize("make", [*BACKBONES.values(), *OF_TIMM.values()], ids=[*BACKBONES, *OF_TIMM])
def test_backbone_keeps(make: Make, check: Callable[[Make], None]) -> None:
    check(make)


@every_check
def test_a_backbone_without_batch_normalisation_keeps(check: Callable[[Make], None]) -> None:
    check(GroupNormed)


class Unseeded(GroupNormed):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        drawn = np.random.default_rng().normal(size=self.stem.weight.shape)
        self.stem.weight.data = torch.from_numpy(drawn).float()


class AlwaysTheSame(GroupNormed):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        for weight in self.parameters():
            nn.init.constant_(weight, 0.1)


class WrongWidth(GroupNormed):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.width += 1


class Remembering(GroupNormed):
    """Keeps a running mean by hand, which `frozen_statistics` does not know."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.register_buffer("running", torch.zeros(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.running.lerp_(images.mean((0, 2, 3), keepdim=True), 0.1)
        return super().forward(images - self.running)


class Forgetful(GroupNormed):
    """Its statistics are no part of its state."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.seen: Tensor | float = 0.0

    def forward(self, images: Tensor) -> Tensor:
        if self.training:
            self.seen = images.mean((0, 2, 3), keepdim=True).detach()
        return super().forward(images - self.seen)


class OfTheBatch(GroupNormed):
    def forward(self, images: Tensor) -> Tensor:
        features = super().forward(images)
        return features - features.mean(0)


class AlwaysDropping(GroupNormed):
    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(images), 0.5, training=True)


class WithIdleLayer(GroupNormed):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.idle = nn.Linear(2, 2)


class Black(GroupNormed):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images * 0)


class WritesIntoItsInput(GroupNormed):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.clamp_(-0.9, 0.9))


class OfOneSize(GroupNormed):
    """Says that it takes any."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) * (1 if images.shape[-1] == 16 else float("nan"))


class StretchesContrast(GroupNormed):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images / images.std((1, 2, 3), keepdim=True))


class NoDeviation(GroupNormed):
    normalisation = Normalisation((0.5, 0.5, 0.5), (0.0, 0.0, 0.0))


class EmptyPromise(GroupNormed):
    takes_pretrained = True


class Silent(GroupNormed):
    """Takes weights and does not say so."""

    def load_pretrained(self, source: str) -> None:
        pass


class WithAStageLeftOut(GroupNormed):
    def list_stages(self) -> list[list[str]]:
        return super().list_stages()[1:]


class KeepsItsStatistics(Small):
    """Frozen, it goes on as in training."""

    def train(self, mode: bool = True) -> "KeepsItsStatistics":
        nn.Module.train(self, mode)
        return self


FAULTY = {
    Unseeded: "check_seed_decides_the_weights",
    AlwaysTheSame: "check_seed_decides_the_weights",
    WrongWidth: "check_features_have_the_stated_width",
    Remembering: "check_statistics_stay_while_frozen",
    Forgetful: "check_state_is_all_that_it_learned",
    OfTheBatch: "check_images_are_judged_alone",
    AlwaysDropping: "check_images_are_judged_alone",
    WithIdleLayer: "check_gradient_reaches_every_weight",
    Black: "check_features_have_the_stated_width",
    WritesIntoItsInput: "check_input_is_left_as_it_was",
    OfOneSize: "check_size_is_the_one_it_is_made_for",
    StretchesContrast: "check_plain_images_have_features",
    NoDeviation: "check_input_is_normalised_as_declared",
    EmptyPromise: "check_pretrained_weights_are_its_own_affair",
    Silent: "check_pretrained_weights_are_its_own_affair",
    WithAStageLeftOut: "check_stages_hold_each_weight_once",
    KeepsItsStatistics: "check_frozen_weights_and_statistics_stay",
}


@pytest.mark.parametrize("make", FAULTY)
def test_faulty_backbone_is_refused(make: type[Backbone]) -> None:
    with pytest.raises(AssertionError):
        getattr(backbone_checks, FAULTY[make])(make)


@pytest.mark.parametrize("fault", [lambda module, images: images, lambda module, images: (images - 0.449) / 0.226])
def test_normalisation_that_is_left_out_or_another_is_refused(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[Normalise, Tensor], Tensor]
) -> None:
    monkeypatch.setattr(Normalise, "forward", fault)
    with pytest.raises(AssertionError):
        backbone_checks.check_input_is_normalised_as_declared(GroupNormed)


def test_statistics_that_move_while_frozen_or_never_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def idle(network: nn.Module) -> Iterator[None]:
        yield

    faults = {
        "frozen_statistics": idle,
        "set_batch_norm_decay": lambda network, decay: network.eval(),
    }
    for name, fault in faults.items():
        with monkeypatch.context() as patch:
            patch.setattr(backbone_checks, name, fault)
            with pytest.raises(AssertionError):
                backbone_checks.check_statistics_stay_while_frozen(Small)
