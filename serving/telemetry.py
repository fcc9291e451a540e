"""What the service tells Prometheus: load, latency, refusals, and the drift of what it sees."""

import asyncio
import os
from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

_TENTHS = tuple(round(0.1 * step, 1) for step in range(1, 11))
_LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
# Between two requests they take 27 us of processor time for each, some 8 where nothing else is done: so many at a time.
_WRITTEN_AFTER_S = 0.1


class Telemetry:
    """The service's counters, one set a process; labels come from the model and the code, never from a client.

    With several processes (PROMETHEUS_MULTIPROC_DIR set, as BentoML does) the text is the sum over all of them, but
    for what the others counted in the last tenth of a second.
    """

    def __init__(self) -> None:
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # Workers are started, not forked; to ask the system at each count took 12 % of the time in Python.
            process = os.getpid()
            values.ValueClass = values.MultiProcessValue(lambda: process)
        registry = self._registry = CollectorRegistry()
        self._answers = Counter("dc3_requests", "Answered requests by status", ["status"], registry=registry)
        self._latency = Histogram(
            "dc3_request_seconds", "From request to answer", buckets=_LATENCIES, registry=registry
        )
        self._batch = Histogram("dc3_batch_size", "Images in one run", buckets=_BATCHES, registry=registry)
        self._refused = Counter("dc3_refused", "Refused requests and images", ["reason"], registry=registry)
        self._ambiguity = Histogram("dc3_ambiguity", "p_a of images", buckets=_TENTHS, registry=registry)
        self._classes = Counter(
            "dc3_predictions", "Images by class and decision", ["class_name", "decision"], registry=registry
        )
        self._seen: list[tuple[int, float]] = []
        self._predicted: list[tuple[str, str, float]] = []
        self._write_due = False

    def count_request(self, status: int, seconds: float) -> None:
        """One answered request; in an event loop."""
        self._seen.append((status, seconds))
        self._write_soon()

    def count_batch(self, size: int) -> None:
        """One run of the model."""
        self._batch.observe(size)

    def count_refusal(self, reason: str) -> None:
        """One request or image that got no prediction."""
        self._refused.labels(reason).inc()

    def count_prediction(self, name: str, decision: str, ambiguity: float) -> None:
        """One predicted image; in an event loop."""
        self._predicted.append((name, decision, ambiguity))
        self._write_soon()

    def write(self) -> None:
        """Brings the counters up to what was counted; in the thread of the event loop."""
        self._write_due = False
        for status, count in Tally(status for status, _ in self._seen).items():
            self._answers.labels(str(status)).inc(count)
        for (name, decision), count in Tally((name, decision) for name, decision, _ in self._predicted).items():
            self._classes.labels(name, decision).inc(count)
        for _, seconds in self._seen:
            self._latency.observe(seconds)
        for _, _, ambiguity in self._predicted:
            self._ambiguity.observe(ambiguity)
        self._seen.clear()
        self._predicted.clear()

    def to_text(self) -> bytes:
        """All counters in Prometheus' text format, as last written."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)
        return generate_latest(shared)

    def _write_soon(self) -> None:
        if not self._write_due:
            self._write_due = True
            asyncio.get_running_loop().call_later(_WRITTEN_AFTER_S, self.write)
