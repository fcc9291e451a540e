"""What the service tells Prometheus: load, latency, refusals, and the drift of what it sees."""

import os
from collections.abc import Sequence

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

_TENTHS = tuple(round(0.1 * step, 1) for step in range(1, 11))
_LATENCIES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)


class Telemetry:
    """The service's counters, one set a process; labels come from the model and the code, never from a client.

    With several processes (PROMETHEUS_MULTIPROC_DIR set, as BentoML does) the text is the sum over all of them.
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

    def count_request(self, status: int, seconds: float) -> None:
        """One answered request."""
        self._answers.labels(str(status)).inc()
        self._latency.observe(seconds)

    def count_batch(self, size: int) -> None:
        """One run of the model."""
        self._batch.observe(size)

    def count_refusal(self, reason: str) -> None:
        """One request or image that got no prediction."""
        self._refused.labels(reason).inc()

    def count_predictions(self, names: Sequence[str], decisions: Sequence[str], ambiguity: np.ndarray) -> None:
        """Predicted images: class, decision and p_a of each."""
        for name, decision, value in zip(names, decisions, ambiguity, strict=True):
            self._classes.labels(name, decision).inc()
            self._ambiguity.observe(float(value))

    def to_text(self) -> bytes:
        """All counters in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)
        return generate_latest(shared)
