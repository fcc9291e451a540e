"""`dc3 relabel-demo`, cut short: real images, real votes, a real Label Studio, scripted annotators."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.verdicts import read_verdicts
from relabel.label_studio.install import install
from tests.part_of_cifar10h import write_part
from training import track

ROOT = Path(__file__).parents[2]


def run_demo(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "dc3", "relabel-demo", *options], cwd=ROOT, capture_output=True, text=True, timeout=1100
    )


@pytest.mark.slow
def test_demo_goes_a_whole_round(store: Path, cifar10h: Path, tmp_path: Path) -> None:
    assert "relabel-demo: environment\n\t$(BIN)/dc3 relabel-demo --data $(DATA)\n" in (ROOT / "Makefile").read_text()
    try:
        program = install()
    except InputError as error:
        pytest.skip(f"THE RELABEL DEMO IS UNTESTED HERE: {error}")
    write_part(cifar10h, tmp_path, 400)
    folder = tmp_path / "demo"
    short = ("--images", "160", "--voted", "120", "--steps", "40", "--anyway", "--program", str(program))
    done = run_demo("--data", str(tmp_path), "--output", str(folder), *short)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "a simulation of people" in done.stdout
    verdicts = read_verdicts(folder / "verdicts.parquet")
    proposals = pd.read_parquet(folder / "round_1" / "proposals.parquet")
    answered = verdicts[verdicts["label"] != ""].groupby("image")["annotator"].nunique()
    assert set(answered.index) == set(proposals["image"])
    assert (answered == 2).all()
    assert set(verdicts["arm"]) == {"proposal", "control"}
    control = verdicts[verdicts["arm"] == "control"]
    assert set(control["outcome"]) == {"manual"}
    gain = pd.read_csv(folder / "gain.csv").set_index("figure")
    assert gain.loc["images with a vote, share"].tolist()[1] == 1.0
    assert (folder / "agreement" / "agreement.html").is_file()
    runs = {summary.name: summary.run_id for summary in map(track.summarise, _runs(done.stdout))}
    chain = track.list_rounds(runs["after relabelling"])
    assert [link.run_id for link in chain] == [runs["before relabelling"], runs["after relabelling"]]


def _runs(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("run ")]


def test_demo_without_its_data_names_the_folder(tmp_path: Path) -> None:
    done = run_demo("--data", str(tmp_path))
    assert done.returncode == 2
    assert f"No images.zip and votes.csv in {tmp_path}" in done.stderr


def test_demo_never_writes_into_a_folder_that_holds_something(cifar10h: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run_demo("--data", str(cifar10h), "--output", str(tmp_path))
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
