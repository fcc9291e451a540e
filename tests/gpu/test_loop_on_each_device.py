"""The loop on each device: nothing in it waits, its memory stays flat, and a cut changes nothing.

Tolerance on CUDA: 1e-3 for weights, because its convolutions sum in no fixed order; on CPU they are equal to the bit.
"""

import gc
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import training.loop.fit
from tests.gpu.synthetic import CPU, CutAt, Dropping, make_arrays, make_trainee, train, weights_of
from tests.gpu.waiting import no_waits
from training.batches import augment
from training.batches.feed import raw_batches, step_seeds
from training.loop.fit import Losses
from training.loop.graph import WARM_UP, GraphedStep
from training.loop.step import Constants, train_step
from training.losses.dc3 import VARIANTS
from training.methods import METHODS
from training.options import LoopOptions


def assert_same(one: nn.Module, other: nn.Module, device: torch.device) -> None:
    for name, values in one.state_dict().items():
        if device == CPU:
            assert torch.equal(values, other.state_dict()[name]), name
        else:
            torch.testing.assert_close(values.cpu(), other.state_dict()[name].cpu(), atol=1e-3, rtol=1e-3, msg=name)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("variant", ["vanilla", "dc3", "dc3_guided"])
def test_the_host_waits_for_nothing_in_a_step(
    device: torch.device, method: str, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 20 steps on CUDA, of 2 on CPU: batch, augmentation, forward, losses, backward, optimiser and average.

    A CPU's strong views may read what was drawn: watched there is how a GPU makes them.
    """
    monkeypatch.setattr(augment, "_operate_each", augment._operate_all)
    n_steps = 20 if device.type == "cuda" else 2
    trainee = make_trainee(method, device)
    constants = Constants(weights_of(variant), 0.9)
    arrays, n_unlabelled = make_arrays(device), 8 * METHODS[method].unlabelled_ratio
    for step, raw in enumerate(raw_batches(arrays, 8, n_unlabelled, 0, range(WARM_UP + n_steps))):
        if step < WARM_UP:  # the optimiser makes its momenta, libraries choose their kernels
            train_step(trainee, raw, constants)
        else:
            with no_waits(device):
                train_step(trainee, raw, constants)


@pytest.mark.parametrize(
    "wait",
    [
        lambda values: values.sum().item(),
        lambda values: values[values > 0],
        lambda values: values.gt(0).nonzero(),
        lambda values: values + torch.tensor([1.0, 2.0], device=values.device),
    ],
    ids=["item", "mask", "nonzero", "constant"],
)
def test_the_watch_sees_what_waits(device: torch.device, wait: object) -> None:
    values = torch.tensor([1.0, -1.0], device=device)
    with pytest.raises(RuntimeError, match=r"wait|synchronizing"), no_waits(device):
        wait(values)  # type: ignore[operator]


def test_the_loop_around_the_steps_waits_only_to_report(
    device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From step 8 to 28 of a whole `fit`: the hook is the seeding, which every step begins with."""
    if device == CPU:
        pytest.skip("on CPU the loop copies nothing to another device; the steps are watched above")

    def seeds(seed: int, step: int) -> tuple[int, int]:
        torch.cuda.set_sync_debug_mode("error" if 8 <= step < 28 else "default")
        return step_seeds(seed, step)

    monkeypatch.setattr(training.loop.fit, "step_seeds", seeds)
    record: list[Losses] = []
    try:
        train(tmp_path / "c.pt", device, loop=LoopOptions(32, 32, 32), record=record)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert [losses.step for losses in record] == [32]


@pytest.mark.slow
def test_memory_stays_flat(device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over 200 steps on CUDA and 40 on CPU, from the tenth on; the readings of a step are freed at each report."""
    n_steps = 200 if device.type == "cuda" else 40
    held: dict[int, int] = {}

    def seeds(seed: int, step: int) -> tuple[int, int]:
        if step in (10, n_steps - 10):
            held[step] = allocated(device)
        return step_seeds(seed, step)

    monkeypatch.setattr(training.loop.fit, "step_seeds", seeds)
    train(tmp_path / "c.pt", device, method="supervised", loop=LoopOptions(n_steps, n_steps, 5))
    # a reading kept from each step would be 20 bytes of a tensor on CPU, a block of 512 on CUDA
    assert held[n_steps - 10] <= held[10] + (4096 if device.type == "cuda" else 64)


def allocated(device: torch.device) -> int:
    """Bytes in tensors that live on the device."""
    gc.collect()
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return sum(item.nbytes for item in gc.get_objects() if type(item) in (Tensor, nn.Parameter))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mean_teacher", "mixmatch", "softmatch"])
def test_resumed_training_ends_in_the_same_weights_with_dropout_too(
    device: torch.device, tmp_path: Path, method: str
) -> None:
    """Dropout draws from torch's own generators: they are seeded at each step as ours is."""
    options = {"method": method, "loop": LoopOptions(12, 6, 1)}
    whole = train(tmp_path / "whole.pt", device, backbone=Dropping, **options)
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut.pt", device, backbone=Dropping, record=CutAt(9), **options)
    resumed = train(tmp_path / "cut.pt", device, backbone=Dropping, **options)
    assert_same(whole, resumed, device)


def test_dropout_draws_anew_at_each_step(tmp_path: Path) -> None:
    """Not the same units in all steps: two steps of equal batches and weights differ by what is dropped alone."""
    dropped = []

    class Spy(Dropping):
        def forward(self, images: Tensor) -> Tensor:
            features = super().forward(images)
            dropped.append(features == 0)
            return features

    train(tmp_path / "c.pt", method="supervised", variant="vanilla", backbone=Spy, loop=LoopOptions(3, 3, 3))
    assert not torch.equal(dropped[0], dropped[1])
    assert not torch.equal(dropped[1], dropped[2])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("variant", ["vanilla", "dc3_guided"])
def test_graph_trains_as_eager_does(device: torch.device, tmp_path: Path, method: str, variant: str) -> None:
    """With dropout, over the end of the guidance at 40 % of the steps, and over an evaluation."""
    if device == CPU:
        pytest.skip("a CUDA graph is made on CUDA alone")
    options = {"method": method, "variant": variant, "loop": LoopOptions(20, 10, 5)}
    eager = train(tmp_path / "e.pt", device, backbone=Dropping, execution="eager", **options)
    graph = train(tmp_path / "g.pt", device, backbone=Dropping, execution="graph", **options)
    assert_same(eager, graph, device)


@pytest.mark.gpu
def test_a_step_that_cannot_be_captured_runs_eagerly_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    if not torch.cuda.is_available():
        pytest.skip("NO GPU: what runs on CUDA is not exercised here")
    device = torch.device("cuda", 0)
    trainee = make_trainee("supervised", device)

    def reading_step(batch: object, constants: object) -> Tensor:
        readings = train_step(trainee, batch, constants)  # type: ignore[arg-type]
        readings.sum().item()
        return readings

    graphed = GraphedStep(reading_step, trainee.generator)
    before = trainee.network.head.weight.detach().clone()
    for raw in raw_batches(make_arrays(device), 8, 8, 0, range(WARM_UP + 3)):
        graphed(raw, Constants(weights_of("dc3"), 0.9))
    assert "the host waits for the GPU" in graphed.refused
    assert [record.message for record in caplog.records if "No CUDA graph" in record.message] != []
    assert not torch.equal(before, trainee.network.head.weight)


@pytest.mark.gpu
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_graph_is_captured_and_replayed(device: torch.device, variant: str) -> None:
    """`auto` must not fall back to eager unseen."""
    if device == CPU:
        pytest.skip("a CUDA graph is made on CUDA alone")
    trainee = make_trainee("mean_teacher", device)
    calls = []

    def step(batch: object, constants: object) -> Tensor:
        calls.append(batch)
        return train_step(trainee, batch, constants)  # type: ignore[arg-type]

    graphed = GraphedStep(step, trainee.generator)
    for raw in raw_batches(make_arrays(device), 8, 8, 0, range(WARM_UP + 5)):
        readings = graphed(raw, Constants(weights_of(variant), 0.9))
        assert torch.isfinite(readings).all()
    assert graphed.refused == ""
    assert len(calls) == WARM_UP + 1
