"""The loop: learns, stops at NaN, and goes on after a kill to the very same weights."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from data.errors import InputError
from tests.gpu.synthetic import SIZE, CutAt, train, train_head
from training.config import Config
from training.loop.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from training.loop.fit import Losses, NonFiniteError, fit
from training.loop.runtime import choose_device, choose_execution, uses_bf16
from training.loop.schedule import build_optimiser, learning_rate
from training.losses.dc3 import VARIANTS, DC3Weights, dc3_terms, weigh
from training.methods import METHODS, build_method
from training.methods.flexmatch import FlexMatch
from training.methods.freematch import FreeMatch
from training.methods.mean_teacher import MeanTeacher
from training.methods.method import Method
from training.methods.softmatch import SoftMatch
from training.methods.state import Sizes
from training.networks import build_network
from training.networks.heads import Head, Network
from training.networks.small import Small
from training.options import LoopOptions, OptimiserOptions

CPU = torch.device("cpu")


def run(config: Config, checkpoint: Path, record: list[Losses] | None = None) -> Network:
    from training.batches.loader import prepare
    from training.train import read_data

    dataset, split = read_data(config)
    torch.manual_seed(config.runtime.seed)
    network = build_network(config.network, config.data.size, len(dataset.classes), config.dc3.prior)
    return fit(
        network,
        build_method(config.method, config.ssl),
        weigh(config.dc3, VARIANTS[config.variant]),
        prepare(dataset, split, config.split, config.runtime.seed, CPU),
        config.loop,
        config.batches,
        config.optimiser,
        seed=config.runtime.seed,
        device=CPU,
        precision=config.runtime.precision,
        checkpoint=checkpoint,
        on_losses=(record if record is not None else []).append,
        on_eval=lambda step, network: None,
        show_progress=False,
    )


@pytest.mark.slow
def test_loss_falls_and_digits_are_learned(store: Path, tiny: Callable[..., Config]) -> None:
    from training.evaluate.predict import Predictor, predict
    from training.train import read_data

    config = tiny(loop={"steps": 150, "evaluate_every": 150, "log_every": 10}, batches={"batch_size": 32})
    record: list[Losses] = []
    network = run(config, store / "c.pt", record)
    dataset, split = read_data(config)
    predictions = predict(Predictor(network, True), dataset, split, split.validation)
    right = (predictions.classes.argmax(1) == predictions.votes.argmax(1)).mean()
    assert right > 0.4  # guessing reaches 0.1
    assert record[-1].terms["ssl"] < 0.8 * record[0].terms["ssl"]
    assert set(record[0].terms) == {"ssl", "inverse_ce", "ambiguity", "similarity", "gradient", "loss"}


@pytest.mark.parametrize("value", [1e12, float("inf")])
def test_not_a_number_stops_the_loop_and_names_step_and_term(
    store: Path, tiny: Callable[..., Config], value: float
) -> None:
    config = tiny(optimiser={"lr": value}, loop={"steps": 20, "evaluate_every": 20, "log_every": 20})
    with pytest.raises(NonFiniteError, match=r"Step \d+: \w+ is (nan|inf)"):
        run(config, store / "c.pt")
    assert not (store / "c.pt").exists()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("learn", [train, train_head], ids=["images", "features"])
def test_every_method_trains_under_every_variant(
    tmp_path: Path, method: str, variant: str, learn: Callable[..., object]
) -> None:
    record: list[Losses] = []
    learn(tmp_path / "c.pt", method=method, variant=variant, loop=LoopOptions(2, 2, 1), record=record)
    assert [losses.step for losses in record] == [1, 2]
    assert all(math.isfinite(value) for losses in record for value in losses.terms.values())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mean_teacher", "fixmatch", "mixmatch"])
def test_resumed_training_ends_in_the_very_same_weights(store: Path, tiny: Callable[..., Config], method: str) -> None:
    config = tiny(method=method, loop={"steps": 4, "evaluate_every": 2, "log_every": 1})
    whole = run(config, store / "whole.pt")

    with pytest.raises(InterruptedError):
        run(config, store / "cut.pt", _StopAt3())
    assert load_checkpoint(store / "cut.pt", CPU).step == 2
    record: list[Losses] = []
    resumed = run(config, store / "cut.pt", record)
    assert [losses.step for losses in record] == [3, 4]
    for first, second in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("method", ["mean_teacher", "fixmatch"])
def test_a_head_on_features_resumes_to_the_very_same_weights(tmp_path: Path, method: str) -> None:
    """Its views and what its dropout drops hang on seed and step alone."""
    whole = train_head(tmp_path / "whole.pt", method=method)
    with pytest.raises(InterruptedError):
        train_head(tmp_path / "cut.pt", method=method, record=CutAt(7))
    assert load_checkpoint(tmp_path / "cut.pt", CPU).step == 4
    resumed = train_head(tmp_path / "cut.pt", method=method)
    for first, second in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(first, second)


class _StopAt3(list[Losses]):
    def append(self, losses: Losses) -> None:
        if losses.step == 3:
            raise InterruptedError


@pytest.mark.slow
def test_sigkill_at_any_moment_changes_nothing(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process, killed before and after its first checkpoint, ends with the weights of an undisturbed one."""
    from dc3.__main__ import main

    quick = "--size 16 --batch-size 8 --steps 40 --evaluate-every 10 --precision float32 --device cpu"
    command = [sys.executable, "-m", "dc3", "train", *quick.split(), "--register", ""]
    assert main(command[3:]) == 0
    whole_run = next(line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("run "))
    work = store / "work"
    before = set(work.iterdir())
    process = _start(command)
    _wait_for(lambda: set(work.iterdir()) - before)
    run = (set(work.iterdir()) - before).pop()
    n_kills = 0
    for reached in (run, run / "checkpoint.pt"):
        _wait_for(reached.exists)
        time.sleep(0.5 * n_kills)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
            n_kills += 1
            process = _start([*command[:4], "--resume", run.name, "--register", ""])
    assert process.wait(300) == 0
    assert n_kills == 2
    first, second = (load_checkpoint(folder / "checkpoint.pt", CPU) for folder in (work / whole_run, run))
    assert first.step == second.step == 40
    for name, value in first.average.items():
        assert torch.equal(value, second.average[name]), name


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for(condition: Callable[[], object], limit_s: float = 120) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.pt"
    save_checkpoint(Checkpoint(1, {"w": torch.ones(2)}, {}, {}), path)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(Checkpoint(2, {"w": torch.zeros(2)}, {}, {}), path)
    assert load_checkpoint(path, CPU).step == 1


@pytest.mark.parametrize(
    "method", [FlexMatch(1, threshold=0.4), FreeMatch(1), SoftMatch(1)], ids=lambda m: type(m).__name__
)
def test_what_a_method_keeps_goes_on_after_a_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    monkeypatch.setitem(METHODS, "mean_teacher", method)
    whole = train(tmp_path / "whole.pt", loop=LoopOptions(6, 3, 1))
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut.pt", loop=LoopOptions(6, 3, 1), record=CutAt(5))
    halfway = load_checkpoint(tmp_path / "cut.pt", CPU)
    resumed = train(tmp_path / "cut.pt", loop=LoopOptions(6, 3, 1))
    kept, gone_on = (load_checkpoint(tmp_path / f"{name}.pt", CPU).state for name in ("whole", "cut"))
    for name, start in method.make_state(Sizes(40, 3, CPU)).items():
        assert torch.equal(kept[name], gone_on[name])
        assert not torch.equal(start, halfway.state[name])  # so that a state made anew would be seen
        assert not torch.equal(kept[name], halfway.state[name])
    for first, second in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(first, second)


def test_a_checkpoint_without_the_state_that_a_method_keeps_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "c.pt", loop=LoopOptions(2, 2, 2))
    monkeypatch.setitem(METHODS, "mean_teacher", FlexMatch(1))
    with pytest.raises(
        InputError, match=r"keeps a state \(classes \(40,\)\), checkpoint .*c\.pt holds another \(none\)"
    ):
        train(tmp_path / "c.pt", loop=LoopOptions(4, 2, 2))
    state = load_checkpoint(tmp_path / "c.pt", CPU)
    save_checkpoint(state._replace(state={"classes": torch.zeros(39, dtype=torch.int64)}), tmp_path / "c.pt")
    with pytest.raises(InputError, match=r"holds another \(classes \(39,\)\).* Train from the start"):
        train(tmp_path / "c.pt", loop=LoopOptions(4, 2, 2))


def test_missing_or_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No checkpoint at"):
        load_checkpoint(tmp_path / "none.pt", CPU)
    save_checkpoint(Checkpoint(1, {"w": torch.ones(1000)}, {}, {}), tmp_path / "c.pt")
    (tmp_path / "c.pt").write_bytes((tmp_path / "c.pt").read_bytes()[:900])
    with pytest.raises(InputError, match=r"c\.pt cannot be read"):
        load_checkpoint(tmp_path / "c.pt", CPU)


def test_evaluation_gets_the_average_of_the_weights(tmp_path: Path) -> None:
    seen: list[tuple[int, dict[str, torch.Tensor]]] = []

    def note(step: int, network: Network) -> None:
        seen.append((step, {name: values.clone() for name, values in network.state_dict().items()}))

    averaged = train(tmp_path / "c.pt", loop=LoopOptions(6, 3, 3), on_eval=note)
    assert [step for step, _ in seen] == [3, 6]
    state = load_checkpoint(tmp_path / "c.pt", CPU)
    for name, values in averaged.state_dict().items():
        assert torch.equal(seen[1][1][name], values), name
        assert torch.equal(state.average[f"module.{name}"], values), name
    assert not torch.equal(state.network["head.weight"], state.average["module.head.weight"])


def test_the_teacher_of_a_training_is_the_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step it answers with the averaged weights of the checkpoint before it, which are not the student's."""
    n_compared = 0

    class Watching(MeanTeacher):
        def step(self, network, teacher, batch, progress, generator, state):  # type: ignore[no-untyped-def]
            nonlocal n_compared
            if (tmp_path / "c.pt").exists():
                average = load_checkpoint(tmp_path / "c.pt", CPU).average
                average = {name.removeprefix("module."): values for name, values in average.items()}
                average.pop("n_averaged")
                expected = torch.func.functional_call(network, average, batch.images).classes
                torch.testing.assert_close(teacher(batch.images).classes, expected)
                n_compared += 1
            return super().step(network, teacher, batch, progress, generator, state)

    monkeypatch.setitem(METHODS, "mean_teacher", Watching())
    train(tmp_path / "c.pt", loop=LoopOptions(4, 1, 1), optimiser=OptimiserOptions(lr=0.05))
    assert n_compared == 3


def test_progress_counts_the_steps_and_the_labelled_images_before_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Watching(MeanTeacher):
        def step(self, network, teacher, batch, progress, generator, state):  # type: ignore[no-untyped-def]
            seen.append((float(progress.share), float(progress.n_labelled), len(batch.images)))
            return super().step(network, teacher, batch, progress, generator, state)

    monkeypatch.setitem(METHODS, "mean_teacher", Watching())
    train(tmp_path / "c.pt", loop=LoopOptions(4, 4, 4))
    n = seen[0][2]
    assert [(share, images) for share, images, _ in seen] == [(0, 0), (0.25, n), (0.5, 2 * n), (0.75, 3 * n)]


def test_the_average_starts_at_the_weights_after_the_first_step(tmp_path: Path) -> None:
    """Not at the random ones, which a decay of 0.999 would keep for thousands of steps."""
    averaged = train(tmp_path / "c.pt", loop=LoopOptions(1, 1, 1), optimiser=OptimiserOptions(lr=0.05))
    network = load_checkpoint(tmp_path / "c.pt", CPU).network
    assert all(torch.equal(values, network[name]) for name, values in averaged.state_dict().items())


@pytest.mark.slow
def test_compiled_networks_train_as_eager_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through torch's tracer; the code that its compiler would make of the trace takes minutes on CPU."""
    n_compiled = []

    def trace(module: torch.nn.Module, **options: object) -> object:
        n_compiled.append(module)
        return torch._dynamo.optimize("aot_eager", dynamic=False)(module)

    monkeypatch.setattr(torch, "compile", trace)
    eager = train(tmp_path / "e.pt", loop=LoopOptions(4, 4, 4), execution="eager")
    compiled = train(tmp_path / "c.pt", loop=LoopOptions(4, 4, 4), execution="compiled")
    assert len(n_compiled) == 2
    for name, values in eager.state_dict().items():
        torch.testing.assert_close(values, compiled.state_dict()[name], atol=1e-5, rtol=1e-4, msg=name)
    assert list(compiled.state_dict()) == list(eager.state_dict())


def test_running_statistics_keep_the_share_of_the_option(tmp_path: Path) -> None:
    """After one step from a mean of 0, 0.75 of it is left and 0.25 of the batch's mean has come."""
    backbone, outputs = Small(SIZE), []
    backbone.stem.conv.register_forward_hook(lambda module, inputs, output: outputs.append(output.detach()))
    options = OptimiserOptions(lr=0.003, batch_norm_decay=0.75)
    train(
        tmp_path / "c.pt",
        method="supervised",
        variant="vanilla",
        backbone=lambda: backbone,
        loop=LoopOptions(1, 1, 1),
        optimiser=options,
    )
    torch.testing.assert_close(backbone.stem.norm.running_mean, 0.25 * outputs[0].mean((0, 2, 3)))


@pytest.mark.parametrize("variant", ["dc3", "dc3_guided"])
def test_guidance_ends_after_40_percent_of_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    import training.loop.step

    guided = []

    def note(step: object, labels: object, weights: DC3Weights, generator: object) -> dict[str, torch.Tensor]:
        guided.append(weights.guided)
        return dc3_terms(step, labels, weights, generator)  # type: ignore[arg-type]

    monkeypatch.setattr(training.loop.step, "dc3_terms", note)
    train(tmp_path / "c.pt", variant=variant, loop=LoopOptions(10, 10, 10))
    assert guided == ([True] * 4 + [False] * 6 if variant == "dc3_guided" else [False] * 10)


@pytest.mark.parametrize(("variant", "n_images"), [("vanilla", 8), ("dc3", 16)])
def test_images_per_second_are_counted_without_a_progress_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: str, n_images: int
) -> None:
    """By a clock that moves one second at each look: two looks for a report, one more after an evaluation."""
    import training.loop.fit

    clock = iter(range(1000))
    monkeypatch.setattr(training.loop.fit.time, "perf_counter", lambda: float(next(clock)))
    record: list[Losses] = []
    train(tmp_path / "c.pt", method="supervised", variant=variant, loop=LoopOptions(6, 3, 3), record=record)
    assert [losses.images_per_second for losses in record] == [3 * n_images] * 2


def test_a_checkpoint_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """Written by torch's AveragedModel and a plain SGD, before the step was made for a GPU."""
    torch.manual_seed(0)
    network = Network(Small(SIZE), Head(128, 3, 15))
    average = AveragedModel(network, use_buffers=False)
    average.update_parameters(network)
    parameters = list(network.parameters())
    groups = [{"params": [p for p in parameters if (p.ndim > 1) is kernels]} for kernels in (True, False)]
    optimiser = torch.optim.SGD(groups, lr=0.5, momentum=0.9, nesterov=True)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    fields = {"network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({"step": 4} | fields, tmp_path / "c.pt")
    record: list[Losses] = []
    train(tmp_path / "c.pt", loop=LoopOptions(5, 5, 1), record=record)
    assert [losses.step for losses in record] == [5]
    after = load_checkpoint(tmp_path / "c.pt", CPU)
    assert after.average["n_averaged"] == 2
    decayed, spared = after.optimiser["param_groups"]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (5e-4, 0)  # the options are those of the run
    assert decayed["lr"] == pytest.approx(learning_rate(0.003, 0.8))
    # 0.9 of the old momentum, which was 1 everywhere, is still there
    assert float(after.optimiser["state"][0]["momentum_buffer"].mean()) == pytest.approx(0.9, abs=0.3)


def test_execution_is_eager_where_no_cuda_graph_can_be() -> None:
    assert choose_execution("auto", CPU) == "eager"
    assert choose_execution("auto", torch.device("cuda")) == "graph"
    assert choose_execution("compiled", CPU) == "compiled"
    for name in ("graph", "compiled_graph"):
        with pytest.raises(InputError, match=f"--execution {name} makes a CUDA graph, the device is cpu"):
            choose_execution(name, CPU)


def test_learning_rate_falls_along_the_cosine() -> None:
    assert learning_rate(0.03, 0) == pytest.approx(0.03)
    assert learning_rate(0.03, 1) == pytest.approx(0.03 * 0.19509, rel=1e-4)


def test_weight_decay_spares_biases_and_normalisation() -> None:
    from training.options import NetworkOptions

    network = build_network(NetworkOptions("small"), 32, 3)
    decayed, spared = build_optimiser(network, OptimiserOptions()).param_groups
    assert decayed["weight_decay"] == 5e-4
    assert spared["weight_decay"] == 0
    assert all(parameter.ndim > 1 for parameter in decayed["params"])
    assert len(decayed["params"]) + len(spared["params"]) == len(list(network.parameters()))


def test_without_momentum_it_is_plain_sgd() -> None:
    weight = torch.nn.Linear(1, 1, bias=False)
    optimiser = build_optimiser(weight, OptimiserOptions(lr=0.5, momentum=0.0, weight_decay=0.0))
    before = weight.weight.item()
    for _ in range(2):
        weight.weight.grad = torch.ones(1, 1)
        optimiser.step()
    assert weight.weight.item() == pytest.approx(before - 2 * 0.5)


def test_absent_device_is_refused_with_what_is_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(InputError, match="Device cuda is not available here; available: cpu"):
        choose_device("cuda")
    assert choose_device("auto").type in ("cpu", "mps")


def test_precision_can_be_chosen() -> None:
    assert uses_bf16("bf16", CPU)
    assert not uses_bf16("float32", CPU)


@pytest.mark.gpu
def test_training_runs_on_cuda(store: Path, tiny: Callable[..., Config]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("NO GPU: the CUDA path is not exercised here")
    from dataclasses import replace

    from training.train import train

    config = tiny()
    config = replace(config, runtime=replace(config.runtime, device="cuda", precision="auto"))
    assert train(config, with_report=False).metrics["f1"] >= 0
