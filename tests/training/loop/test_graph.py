"""When a step is captured, replayed, captured anew, or refused; torch's own graphs are played by a recorder."""

import warnings
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.gpu.synthetic import weights_of
from training.batches.batch import RawBatch
from training.loop.graph import WARM_UP, GraphedStep
from training.loop.step import Constants

FIRST, LATER = Constants(weights_of("dc3"), 0.0), Constants(weights_of("dc3"), 0.9)


class Recorder:
    """Stands in for torch.cuda: captures what runs inside `graph` and runs it again at a replay."""

    def __init__(self) -> None:
        self.capturing = False
        self.replay: Any = None
        self.registered: list[object] = []
        self.error = ""
        self.waits: list[str] = []

    def step(self, batch: RawBatch, constants: Constants) -> Tensor:
        """Reports the sum of the images; while it is captured, only remembers what to do."""
        if not self.capturing:
            for text in self.waits:
                warnings.warn(text, stacklevel=1)
            return batch.images.sum()[None]
        if self.error:
            raise RuntimeError(self.error)
        readings = torch.zeros(1)
        self.replay = lambda: readings.copy_(batch.images.sum())
        return readings

    def graph(self, graph: object, stream: object) -> Any:
        recorder = self

        class Capture:
            def __enter__(self) -> None:
                recorder.capturing = True

            def __exit__(self, *_: object) -> None:
                recorder.capturing = False

        return Capture()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    stream = SimpleNamespace(wait_stream=lambda other: None)
    graph = SimpleNamespace(register_generator_state=recorder.registered.append, replay=lambda: recorder.replay())
    fake = SimpleNamespace(graphsafe_set_state=lambda state: None, initial_seed=lambda: 0, device="cpu")
    for name, value in {
        "Stream": lambda device: stream,
        "current_stream": lambda: stream,
        "stream": lambda stream: nullcontext(),
        "CUDAGraph": lambda: graph,
        "graph": recorder.graph,
        "get_sync_debug_mode": lambda: 0,
        "set_sync_debug_mode": lambda mode: None,
        "default_generators": [fake],
        "current_device": lambda: 0,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return recorder


def make_step(recorder: Recorder) -> tuple[GraphedStep, list[str]]:
    """The step under test, and how each call ran: eagerly or captured."""
    ways: list[str] = []

    def step(batch: RawBatch, constants: Constants) -> Tensor:
        ways.append("captured" if recorder.capturing else "eager")
        return recorder.step(batch, constants)

    generator: Any = SimpleNamespace(
        device="cpu",
        initial_seed=lambda: 0,
        graphsafe_set_state=lambda state: None,
    )
    return GraphedStep(step, generator), ways


def batch(value: int) -> RawBatch:
    return RawBatch(torch.full((2, 1, 1, 3), value, dtype=torch.uint8), *(torch.zeros(2) for _ in range(6)))


def test_after_the_warm_up_one_capture_serves_all_steps(recorder: Recorder) -> None:
    step, ways = make_step(recorder)
    readings = [step(batch(value), LATER) for value in range(WARM_UP + 5)]
    assert ways == ["eager"] * WARM_UP + ["captured"]
    # each step reads its own batch, and a later replay does not write over what an earlier one reported
    assert [int(values) for values in readings] == [6 * value for value in range(WARM_UP + 5)]
    assert recorder.registered == [step._generator]


def test_other_constants_are_captured_anew(recorder: Recorder) -> None:
    step, ways = make_step(recorder)
    for constants in [FIRST] + [LATER] * (WARM_UP + 2):
        step(batch(1), constants)
    assert ways == ["eager"] * (1 + WARM_UP) + ["captured"]
    unguided = LATER._replace(weights=weights_of("cc"))
    for _ in range(WARM_UP + 2):
        step(batch(1), unguided)
    assert ways[WARM_UP + 2 :] == ["eager"] * WARM_UP + ["captured"]


def test_a_failed_capture_is_told_once_and_steps_go_on(
    recorder: Recorder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = SimpleNamespace(graphsafe_get_state=lambda: None)
    monkeypatch.setattr(torch, "Generator", lambda device: SimpleNamespace(manual_seed=lambda seed: fresh))
    recorder.error = "operation not permitted when stream is capturing\nmore of it"
    step, ways = make_step(recorder)
    readings = [step(batch(value), LATER) for value in range(WARM_UP + 3)]
    assert ways == ["eager"] * WARM_UP + ["captured"] + ["eager"] * 3
    assert [int(values) for values in readings] == [6 * value for value in range(WARM_UP + 3)]
    assert step.refused == "operation not permitted when stream is capturing"
    assert len(caplog.records) == 1
    assert step.refused in caplog.text


def test_a_step_that_waits_for_the_gpu_is_not_captured_at_all(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    step, ways = make_step(recorder)
    for value in range(WARM_UP + 3):
        recorder.waits = ["called a synchronizing CUDA operation"] if value == WARM_UP - 1 else []
        step(batch(value), LATER)
    assert ways == ["eager"] * (WARM_UP + 3)
    assert "the host waits for the GPU inside it (" in step.refused
    assert "test_graph.py" in caplog.text
