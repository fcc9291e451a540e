"""The command as whoever has a GPU starts it, at tiny sizes on the CPU: cut in the middle, gone on with, tabulated."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.gpu.compare import tabulate
from benchmarks.gpu.family import mark_as_child
from benchmarks.gpu.results import read_lines
from benchmarks.gpu.table import DRY_RUN, read_table
from data.errors import InputError
from tests.benchmarks.conftest import ROOT

pytestmark = pytest.mark.slow
PATIENCE_S = 1500
"""Imports take a minute each where others use the cores; what hangs is given up sooner by the command itself."""


class Calls:
    """Two calls over one work folder: the first was killed in its third part, the second went on."""

    def __init__(self, python: str, data: Path, folder: Path) -> None:
        self.first_output, self.output, self.work = folder / "first", folder / "second", folder / "work"
        command = [python, "-m", "benchmarks.gpu", "--data", str(data), "--work", str(self.work), "--tiny"]
        command += ["--seconds", str(3 * PATIENCE_S), "--output"]
        # installed as on the machine: no path of this environment, no thread setting of this suite
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "OMP_NUM_THREADS")}
        first = subprocess.Popen(
            [*command, str(self.first_output)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(lambda: self.evaluated(self.first_output), first)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait(60)
        self.first = read_lines(self.first_output / "results.jsonl")
        self.second_call = subprocess.run(
            [*command, str(self.output), "--resume"],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        self.lines = read_lines(self.output / "results.jsonl")

    @staticmethod
    def evaluated(output: Path) -> bool:
        return any(line["state"] == "evaluated" for line in read_lines(output / "results.jsonl"))


def wait_for(condition: object, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert process.poll() is None, f"the call ended with status {process.returncode}"
        assert time.monotonic() < end, "the training did not reach its first checkpoint"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def calls(machine_python: str, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Calls:
    return Calls(machine_python, prepared, tmp_path_factory.mktemp("calls"))


def test_a_cut_leaves_every_line_of_before(calls: Calls) -> None:
    assert {line["part"] for line in calls.first} == {"tests", "step", "training"}
    assert not any(line["state"] == "error" for line in calls.first), calls.first
    assert calls.lines[: len(calls.first)] == calls.first


def test_the_second_call_does_what_is_left_and_nothing_twice(calls: Calls) -> None:
    assert calls.second_call.returncode == 0, calls.second_call.stdout + calls.second_call.stderr
    assert {line["part"] for line in calls.lines} == {"tests", "step", "training", "features"}
    ended = Counter((line["part"], line["item"]) for line in calls.lines if line["state"] in ("ok", "skipped", "error"))
    assert set(ended.values()) == {1}
    trained = {line["item"]: line for line in calls.lines if line["part"] == "training" and line["state"] == "ok"}
    assert set(trained) == {"mean_teacher vanilla seed 0", "mean_teacher dc3 seed 0"}
    assert {line["call"] for line in trained.values()} == {2}


def test_a_training_goes_on_from_its_checkpoint(calls: Calls) -> None:
    steps = [
        (line["call"], line["step"])
        for line in calls.lines
        if line["state"] == "evaluated" and line["item"] == "mean_teacher vanilla seed 0"
    ]
    assert [step for _, step in steps] == [4, 8, 12, 16, 20]
    assert {call for call, _ in steps} == {1, 2}


def test_every_line_says_where_it_comes_from(calls: Calls, machine_python: str) -> None:
    for line in calls.lines:
        assert line["dry_run"] is True
        assert line["card"].startswith("no GPU")
        assert line["torch"]
        assert line["date"].endswith("+00:00")
        assert line["command"].startswith("python -m benchmarks.gpu --data")
        assert line["commit"]


def test_the_step_is_set_against_its_own_passes(calls: Calls) -> None:
    """A teacher's pass has no gradient; supervised vanilla has no unlabelled pass."""
    passes = {
        (line["method"], line["variant"]): line["passes"]
        for line in calls.lines
        if line["part"] == "step" and "passes" in line
    }
    assert sorted(passes["mean_teacher", "bare of vanilla"]) == [[8, False], [8, True], [8, True]]
    assert passes["supervised", "bare of vanilla"] == [[8, True]]
    assert passes["supervised", "bare of dc3"] == [[8, True], [8, True]]


def test_the_table_can_be_made_again_and_says_that_it_is_none(calls: Calls) -> None:
    text = (calls.output / "table.txt").read_text()
    assert text.startswith(DRY_RUN)
    assert text == read_table(calls.output)
    for word in (
        "Tests marked gpu: ",
        "mean_teacher  eager",
        "mean_teacher dc3 seed 0",
        "torch resnet18 bf16 from card",
    ):
        assert word in text
    assert calls.second_call.stdout.endswith(text)
    assert read_table(calls.first_output).startswith(DRY_RUN)  # the call that was killed has none of its own


def test_the_table_of_compare_is_made_from_what_came_back(calls: Calls, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mean_teacher .* come from a dry run"):
        tabulate([calls.first_output, calls.output], tmp_path / "no")
    assert not (tmp_path / "no").exists()
    text = tabulate([calls.first_output, calls.output], tmp_path / "table", dry_run=True)
    assert text.startswith(DRY_RUN)
    assert (tmp_path / "table" / "table.md").read_text().startswith(DRY_RUN)
    assert {path.name for path in (tmp_path / "table").iterdir()} == {
        "table.txt", "table.md", "table.csv", "runs.csv", "figure6.png",
    }  # fmt: skip
    assert (tmp_path / "table" / "runs.csv").read_text().count("mean_teacher") == 4  # method and name, two runs


def test_the_output_fits_the_way_back(calls: Calls) -> None:
    """At most 8 files of 16 MiB, none in a folder, names of letters, digits, dot, underscore and hyphen."""
    for output in (calls.first_output, calls.output):
        files = list(output.iterdir())
        assert len(files) <= 8
        for file in files:
            assert file.is_file()
            assert file.stat().st_size <= 16 * 2**20
            assert file.name.replace(".", "").replace("_", "").replace("-", "").isalnum()


def test_it_was_tried_on_the_torch_of_the_machine(machine_python: str, calls: Calls) -> None:
    wanted = next(
        line.split("==")[1]
        for line in (ROOT / "benchmarks" / "gpu" / "requirements.txt").read_text().splitlines()
        if line.startswith("torch==")
    )
    if machine_python == sys.executable and importlib.metadata.version("torch") != wanted:
        pytest.skip(
            f"NOT TRIED ON TORCH {wanted}: python -m benchmarks.gpu.environment makes its environment; "
            f"the dry run used torch {importlib.metadata.version('torch')}"
        )
    assert {line["torch"].split("+")[0] for line in calls.lines} == {wanted}


BLOCKED = (
    "mlflow", "optuna", "optuna_dashboard", "bentoml", "pydantic", "tyro", "tomli_w", "sqlalchemy", "alembic",
    "starlette", "multipart", "httpx", "uvicorn", "httptools", "orjson", "psycopg", "cleanlab", "schemathesis",
)  # fmt: skip
"""What the project needs elsewhere, and the GPU machine does not have."""
IMPORT_ALL = f"""
import importlib, json, os, sys
from pathlib import Path

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(f"{{name}} is not on the GPU machine")

sys.meta_path.insert(0, Blocker())
own = ("compare", "prepare", "environment", "__main__")  # run where the whole environment is
names = [f"benchmarks.gpu.{{path.stem}}" for path in Path("benchmarks/gpu").glob("*.py") if path.stem not in own]
names += ["benchmarks.gpu.__main__"]
names += [f"tests.gpu.{{path.stem}}" for path in Path("tests/gpu").glob("*.py")]
for name in names:
    importlib.import_module(name)
print(json.dumps(names))
"""


def test_all_of_it_imports_without_what_the_machine_lacks(prepared: Path, settings: object) -> None:
    environment = os.environ | mark_as_child() | {"DC3_GPU_SETTINGS": str(settings.file)}  # type: ignore[attr-defined]
    found = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    names = json.loads(found.stdout)
    assert {"benchmarks.gpu.train_one", "benchmarks.gpu.features", "tests.gpu.conftest"} <= set(names)
