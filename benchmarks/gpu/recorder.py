"""pytest plug-in: each test's result is a line of the results as soon as it is known."""

import os
from pathlib import Path

import pytest

from benchmarks.gpu.family import leave_with_parent
from benchmarks.gpu.gpu_tests import PART
from benchmarks.gpu.results import add_line, items_done
from benchmarks.gpu.settings import read_settings
from benchmarks.gpu.watch import marker_path

_SETTINGS = read_settings(Path(os.environ["DC3_GPU_SETTINGS"]))


def pytest_configure() -> None:
    """The run ends with the call that started it."""
    leave_with_parent()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what has a line already: the process before this one may have broken at a later test."""
    done = items_done(_SETTINGS, PART)
    items[:] = [item for item in items if item.nodeid not in done]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be imported is a result too."""
    if report.failed and report.nodeid not in items_done(_SETTINGS, PART):
        add_line(_SETTINGS, PART, report.nodeid, "error", error=_last_line(report.longreprtext))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Names the test in hand."""
    marker_path(_SETTINGS, PART).write_text(nodeid, encoding="utf-8")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """One line a test: at its call, or where its set-up or tear-down does not pass."""
    if report.failed:
        add_line(
            _SETTINGS, PART, report.nodeid, "error", error=_last_line(report.longreprtext), seconds=report.duration
        )
    elif report.skipped:
        add_line(_SETTINGS, PART, report.nodeid, "skipped", reason=_skip_reason(report))
    elif report.when == "call":
        add_line(_SETTINGS, PART, report.nodeid, "ok", seconds=report.duration)


def _last_line(text: str) -> str:
    """pytest's own summary of a failure: the lines marked E, else the last one."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E")]
    return " | ".join(marked)[:600] if marked else text.strip().splitlines()[-1][:600]


def _skip_reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
