"""The parts of a training's cost are counted once each."""

import pytest

from benchmarks.fixed_cost import probe


def test_a_part_that_another_calls_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = [0.0]
    monkeypatch.setattr(probe, "_cpu_s", lambda: spent[0])
    clock = probe.Clock()

    def work(seconds: float) -> None:
        spent[0] += seconds

    def outer() -> None:
        work(2)
        probe._timed(clock, "store", work)(5)
        work(1)

    work(7)
    probe._timed(clock, "report", outer)()
    clock.enter("rest")
    clock.leave()
    assert clock.spent == {"imports": 7.0, "report": 3.0, "store": 5.0, "rest": 0.0}
