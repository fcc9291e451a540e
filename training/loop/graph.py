"""A training step as one CUDA graph: one launch instead of about a thousand, which 32-pixel images leave uncovered."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from training.batches.batch import RawBatch
from training.loop.step import Constants, Step

WARM_UP = 3
"""Steps taken eagerly before a capture: libraries choose their kernels and the optimiser makes its momenta there."""

_log = logging.getLogger(__name__)


class GraphedStep:
    """Takes the first steps eagerly, captures the next and replays it from then on.

    Random numbers go on hanging on seed and step: the generator is registered with the graph, as torch does for its
    default one, and a replay reads the seed that was set before it. Where a step cannot be captured, `refused` says
    why, the log warns once, and all steps are taken eagerly.
    """

    def __init__(self, step: Step, generator: torch.Generator) -> None:
        self.refused = ""
        self._step, self._generator = step, generator
        # what warm-up and capture allocate must come from one stream, and the default one cannot be captured
        self._stream = torch.cuda.Stream(generator.device)
        self._n_eager = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._constants: Constants | None = None

    def __call__(self, batch: RawBatch, constants: Constants) -> Tensor:
        if self.refused:
            return self._step(batch, constants)
        if self._constants != constants:  # after the first step, whose average starts anew, and where guidance ends
            self._graph, self._constants, self._n_eager = None, constants, 0
        if self._n_eager < WARM_UP:
            self._n_eager += 1
            return self._take_aside(batch, constants)
        if self._graph is None:
            self._capture(batch, constants)
            if self._graph is None:
                return self._step(batch, constants)
        for place, values in zip(self._batch, batch, strict=True):
            place.copy_(values)
        self._graph.replay()
        return self._readings.clone()  # the next replay writes to the same place

    def _take_aside(self, batch: RawBatch, constants: Constants) -> Tensor:
        """Steps on the stream of the capture; the last warm-up step is watched for what a capture cannot hold."""
        current = torch.cuda.current_stream()
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            if self._n_eager < WARM_UP:
                readings = self._step(batch, constants)
            else:
                with _watch_for_waits() as waits:
                    readings = self._step(batch, constants)
                if waits:
                    self._refuse(f"the host waits for the GPU inside it ({waits[0].filename}:{waits[0].lineno})")
        current.wait_stream(self._stream)
        return readings.clone()

    def _capture(self, batch: RawBatch, constants: Constants) -> None:
        self._batch = RawBatch(*(values.clone() for values in batch))
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        try:
            # a capture that fails leaves its own stream as the current one; the outer block sets it back
            with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph, stream=self._stream):
                self._readings = self._step(self._batch, constants)
        except RuntimeError as error:
            self._refuse(str(error).splitlines()[0])
            # and it leaves the generators waiting for its end
            for generator in (self._generator, torch.cuda.default_generators[torch.cuda.current_device()]):
                fresh = torch.Generator(generator.device).manual_seed(generator.initial_seed())
                generator.graphsafe_set_state(fresh.graphsafe_get_state())
        else:
            self._graph = graph

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        _log.warning("No CUDA graph of the step, it is launched kernel by kernel: %s.", reason)


@contextmanager
def _watch_for_waits() -> Iterator[list[warnings.WarningMessage]]:
    """Collects torch's warnings of operations that make the host wait."""
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("warn")
    waits: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            yield waits
        waits += [warning for warning in seen if "synchronizing" in str(warning.message)]
    finally:
        torch.cuda.set_sync_debug_mode(mode)
