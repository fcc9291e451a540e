"""Processes and threads that want one bank at once, and one that is killed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.training.features.conftest import N_IMAGES, N_VIEWS, Opener
from tests.training.features.test_bank import count_passed
from training.features.blocks import BLOCK
from training.features.progress import Progress

TOTAL = N_IMAGES * (1 + N_VIEWS)


def start_worker(cache: Path, halt_at: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.features.worker", str(cache), str(halt_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_another_process_waits_and_goes_on_where_a_killed_one_was(opener: Opener, tmp_path: Path) -> None:
    whole = opener(cache=tmp_path / "whole")
    cache, halt_at = tmp_path / "shared", TOTAL - 100
    first = start_worker(cache, halt_at)
    workers = [first]
    try:
        assert first.stdout is not None
        reached = next(int(line) for line in first.stdout if int(line) >= halt_at)
        second = start_worker(cache, TOTAL + 1)
        workers.append(second)
        assert second.stdout is not None
        assert "Waiting for another process" in second.stdout.readline()
        assert first.poll() is None
        first.kill()  # SIGKILL: nothing of it can tidy up
        done = [int(line) for line in second.communicate(timeout=300)[0].splitlines()]
    finally:
        for process in workers:
            process.kill()
            process.communicate(timeout=60)
    assert reached < TOTAL
    assert done[-1] == TOTAL
    assert reached - BLOCK * N_VIEWS <= done[0] <= reached  # the block in hand, at most, is computed again
    for one, other in zip(opener(cache=cache)[:2], whole[:2], strict=True):
        np.testing.assert_array_equal(one, other)


def test_threads_that_want_one_bank_at_once_compute_it_once(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = count_passed(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: opener(), range(4)))
    assert sum(passed) == TOTAL
    for one in found:
        np.testing.assert_array_equal(one.weak, found[0].weak)


def test_a_bank_that_is_there_is_opened_without_a_report(opener: Opener) -> None:
    opener()
    reports: list[Progress] = []
    opener(on_progress=reports.append)
    assert reports == []
