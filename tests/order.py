"""Which worker of pytest-xdist runs what, and what begins first.

`make test` ends with its last worker: a long file that begins late leaves the other cores idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # a borrowed GPU machine has no pytest-xdist
    from xdist.scheduler import LoadScopeScheduling

LONGEST = (
    "tests/test_readme.py",
    "tests/relabel/test_demo.py",
    "tests/relabel/label_studio",
    "tests/benchmarks/test_gpu_dry_run.py",
    "tests/tuning/test_tune.py",
    "tests/training/loop/test_fit.py",
    "tests/training/test_train.py",
    "tests/training/test_run_data.py",
    "tests/training/test_sort_again.py",
    "tests/training/test_comparison.py",
    "tests/training/test_frozen_run.py",
    "tests/relabel/review/test_page.py",
    "tests/tuning/test_postgres.py",
    "tests/dc3/test_command_line.py",
    "tests/serving/test_load.py",
)
"""What takes more than thirty seconds of CPU time, the longest first; then comes what has slow tests, then the rest."""
TOGETHER = ("tests/relabel/label_studio",)
"""Folders whose session fixtures start something dear: one worker runs all their files."""


def unit(nodeid: str) -> str:
    """What one worker runs as a whole: a test's file, or its folder where the files share something dear."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def sort_by_length(items: list[pytest.Item]) -> None:
    """Puts the longest units first; the order within a unit stays."""
    slow = {unit(item.nodeid) for item in items if item.get_closest_marker("slow")}

    def place(item: pytest.Item) -> tuple[int, bool]:
        name = unit(item.nodeid)
        return LONGEST.index(name) if name in LONGEST else len(LONGEST), name not in slow

    items.sort(key=place)


def make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """For `--dist loadfile`: units in the order of their collection; None for every other mode."""
    from xdist.scheduler import LoadScopeScheduling

    class InOrder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    if config.option.dist != "loadfile":
        return None
    config.option.loadscopereorder = False
    return InOrder(config, log)  # type: ignore[arg-type]
