"""The service's threads are as many as the cores that it may use, not as many as the machine has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.cores import usable_cores
from serving.settings import Settings

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no affinity")
def test_a_process_bound_to_one_core_has_one() -> None:
    bound = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
    asked = "from serving.settings import Settings; print(Settings().n_threads)"
    assert subprocess.check_output([sys.executable, "-c", bound + asked], text=True, timeout=300).strip() == "1"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "190000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "99900000 100000\n"}, CORES),
        ({"cpu.max": "max 100000\n"}, CORES),
        ({"cpu.max": "strange\n"}, CORES),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, CORES),
        ({}, CORES),
    ],
)
def test_a_quota_is_rounded_down(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usable_cores(tmp_path) == expected


def test_workers_share_the_cores_and_set_threads_are_taken_as_they_are() -> None:
    assert Settings().n_threads == usable_cores()
    assert Settings(workers=2 * usable_cores()).n_threads == 1
    assert Settings(threads=7, workers=3).n_threads == 7
