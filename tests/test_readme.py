"""Every command of the README works as it is written; trainings are cut short by options behind it."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.relabel.review.running import Annotator, review
from tests.watching import Watch, why_blind

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line]
SHORT = " --size 16 --batch-size 8 --steps 3 --evaluate-every 3 --device cpu"
LONGER = " --size 16 --batch-size 32 --steps 120 --evaluate-every 120 --lr 0.1 --device cpu"
MLFLOW_SHORT = " -P size=16 -P batch_size=8 -P steps=3 -P evaluate_every=3 -P device=cpu"
LIMIT_S = 900
"""Of one command; the demo of the whole road takes two minutes of one slow core."""
RUN_APART = ("make ", "dc3 serve", "curl ", "mlflow ui", "optuna-dashboard")
"""Servers and the make targets: each has its own test below, or is the command that runs this test."""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch | None:
    """What the commands of `dc3` call and leave at home, where that can be seen."""
    return None if why_blind() else Watch(tmp_path_factory.mktemp("watch"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout's files beside a lab's images and votes, with a store of its own."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("MLproject", "conda.yaml", "constraints.txt", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    (folder / "images").mkdir()
    rows = []
    for index in range(60):
        pixels = Image.effect_noise((20, 20), 40 if index < 30 else 90).convert("RGB")
        pixels.save(folder / "images" / f"{index:04d}.jpg")
        rows.append((f"{index:04d}.jpg", "copepod" if index < 30 else "detritus", "anna"))
        rows.append((f"{index:04d}.jpg", "copepod" if index % 30 < 20 else "detritus", "ben"))
    pd.DataFrame(rows, columns=["image", "label", "annotator"]).to_csv(folder / "votes.csv", index=False)
    return folder


def execute(command: str, folder: Path, watch: Watch | None = None) -> "subprocess.CompletedProcess[str]":
    line, variables = _watched(command, folder, watch)
    return subprocess.run(line, shell=True, cwd=folder, env=variables, capture_output=True, text=True, timeout=LIMIT_S)


def _watched(command: str, folder: Path, watch: Watch | None) -> tuple[str, dict[str, str]]:
    """The command and its environment; under watch where it is one of ours."""
    if watch is None or not command.startswith("dc3 "):
        return command, environment(folder)
    return f"exec {shlex.join(watch.prefix())} {command}", environment(folder, watch)


def environment(folder: Path, watch: Watch | None = None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DC3_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # MLflow's own commands look for the store that `dc3` makes below the working directory
    tracking = f"sqlite:///{folder}/mlruns/mlflow.db"
    clean = watch.environment(clean) if watch else clean
    return clean | {"PATH": path, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": tracking}


def shorten(command: str) -> str:
    if command.startswith("mlflow run"):
        return command + MLFLOW_SHORT
    if command.startswith("dc3 compare"):
        command = command.replace("--methods all", "--methods fixmatch").replace("--seeds 3", "--seeds 1")
        return command.replace(",dc3,", ",") + SHORT
    if command.startswith("dc3 tune"):
        # long enough that a trial is not degenerate
        return command.replace("--trials 20", "--trials 1") + LONGER
    if command.startswith("dc3 propose"):
        # three steps make a model no better than the commonest class, which is rightly refused
        return f"{command} --anyway"
    if command.startswith(("dc3 train --source", "dc3 train --images")):
        return command + SHORT.replace("--size 16", "")
    return command + SHORT if command.startswith("dc3 train") and "--repeat" not in command else command


@pytest.fixture(scope="module")
def all_done(lab: Path, watch: Watch | None) -> list[str]:
    """Every command has been carried out, in the order of the README; what those of one process printed."""
    run_id, printed = "", []
    for command in COMMANDS:
        if command.startswith(RUN_APART):
            continue
        if command == "dc3 review proposals":
            _answer_on_the_page(lab, watch)
            continue
        if command == "dc3 export best --output model.onnx":
            # of the run at hand: `best` may be any of those that were trained before
            command = command.replace("best", run_id)
        done = execute(shorten(command).replace("RUN", run_id), lab, watch)
        assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
        printed.append(done.stdout)
        run_id = next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("run ")), run_id)
    _serve_and_ask(lab, watch)
    _start_and_open("mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db", "--port", lab)
    _start_and_open("optuna-dashboard sqlite:///mlruns/optuna.db --artifact-dir mlruns/optuna", "--port", lab)
    return printed


@pytest.mark.slow
def test_commands_work_in_the_order_of_the_readme(all_done: list[str]) -> None:
    assert len(COMMANDS) == 25
    assert "models:/dc3/1" in all_done[1], "a first training registers its model"


@pytest.mark.slow
@pytest.mark.usefixtures("all_done")
def test_no_command_of_ours_calls_another_machine_or_writes_at_home(watch: Watch | None) -> None:
    """train, compare, tune, export, serve, propose, review, merge, agree: with all their processes and libraries."""
    if watch is None:
        pytest.skip(f"WHAT IS SENT IS UNTESTED HERE: {why_blind()}")
    assert watch.called() == []
    assert watch.left_at_home() == []


def _answer_on_the_page(lab: Path, watch: Watch | None) -> None:
    under_watch = {"prefix": watch.prefix(), "environment": watch.environment(dict(os.environ))} if watch else {}
    with review(lab / "proposals", lab / "proposals" / "review.jsonl", **under_watch) as page:  # type: ignore[arg-type]
        anna = Annotator(page, "anna")
        for _ in range(5):
            anna.answer(anna.next(), "copepod").raise_for_status()


def _serve_and_ask(lab: Path, watch: Watch | None) -> None:
    port = _free_port()
    server = _start("dc3 serve model.onnx", f"--port {port}", lab, watch)
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", server)
        curl = next(command for command in COMMANDS if command.startswith("curl"))
        done = execute(curl.replace(":3000", f":{port}").replace("@", "@images/"), lab)
        assert '"name":"0001.jpg"' in done.stdout.replace(": ", ":"), done.stdout + done.stderr
    finally:
        server.terminate()
        server.wait(30)


def _start_and_open(command: str, flag: str, lab: Path) -> None:
    assert command in COMMANDS
    port = _free_port()
    server = _start(command, f"{flag} {port}", lab)
    try:
        _wait(f"http://127.0.0.1:{port}/", server)
    finally:
        server.terminate()
        server.wait(60)


def _start(command: str, options: str, lab: Path, watch: Watch | None = None) -> "subprocess.Popen[bytes]":
    line, variables = _watched(command, lab, watch)
    return subprocess.Popen(
        f"exec {line.removeprefix('exec ')} {options}",
        shell=True,
        cwd=lab,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(address: str, server: "subprocess.Popen[bytes]", limit_s: float = 120) -> None:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        assert server.poll() is None, f"{server.args!r} ended with {server.returncode}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer within {limit_s:.0f} s")


def test_readme_names_only_verbs_that_exist() -> None:
    from dc3.__main__ import VERBS

    assert set(re.findall(r"^dc3 ([\w-]+)", "\n".join(COMMANDS), re.MULTILINE)) <= set(VERBS)


def test_links_of_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_that_the_docs_name_are_there() -> None:
    named = re.compile(r"`((?:data|web|training|tuning|serving|relabel|dc3|tests|benchmarks|docs)/[\w./-]+)`")
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        lost = [path for path in named.findall(page.read_text()) if not (ROOT / path).exists()]
        # written by the GPU machine
        assert set(lost) <= {"docs/results/gpu/"}, page.name


@pytest.mark.slow
def test_demo_walks_the_whole_road(tmp_path: Path) -> None:
    """What `make demo` runs once the environment stands."""
    makefile = (ROOT / "Makefile").read_text()
    assert "demo: environment\n\t$(BIN)/dc3 demo\n" in makefile
    # both trainings are shorter than a person's; the trials are not: none of them would be one to choose
    code = "import dc3.demo as demo; demo.STEPS = 30; raise SystemExit(demo.main([]))"
    done = execute(shlex.join((sys.executable, "-c", code)), tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    table = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[-8:] if " " in line)
    for name in ("report", "model"):
        assert Path(table[name]).is_file()
    assert "ambigu" in done.stdout
