"""What keeps a call of the GPU benchmark going: budgets, faults, hangs, the number of processes, what is sent back."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import benchmarks.gpu.__main__ as command
from benchmarks.gpu import watch
from benchmarks.gpu.budget import part_deadline
from benchmarks.gpu.data import read_data
from benchmarks.gpu.parcel import FILE_BYTES, N_FILES, pack_predictions, pack_resume, unpack_resume
from benchmarks.gpu.parts import Part
from benchmarks.gpu.ramp import Level, next_level
from benchmarks.gpu.results import add_line, items_done, read_lines, take_over
from benchmarks.gpu.runs import Run, choose_mode, plan_runs
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.table import make_table
from benchmarks.gpu.watch import marker_path, run_part
from data.errors import InputError
from data.predictions import Predictions, read_predictions, write_predictions
from tests.benchmarks.conftest import ROOT, make_dataset, make_settings
from training.batches.split import split_images
from training.options import SplitOptions

PARTS = ("tests", "step", "training", "features")
FIRST, SECOND = plan_runs(False)[:2]


def lines_of(settings: Settings) -> list[dict[str, object]]:
    return read_lines(settings.output / "results.jsonl")


def test_each_part_ends_in_its_share_and_leaves_the_last_its_own() -> None:
    assert part_deadline("tests", PARTS, 0.0, 100.0, 0.0) == 20
    assert part_deadline("training", PARTS, 0.0, 100.0, 50.0) == 100 - 4 - 8
    assert part_deadline("training", ("training",), 0.0, 100.0, 0.0) == 96
    assert part_deadline("features", PARTS, 0.0, 100.0, 95.0) == 96
    assert part_deadline("step", PARTS, 0.0, 480.0, 470.0) < 470  # no time left


@pytest.mark.parametrize(
    ("speeds", "level"),
    [
        ({}, Level(1, False)),
        ({1: 1.0}, Level(2, False)),
        ({1: 1.0, 2: 1.5}, Level(4, False)),
        ({1: 1.0, 2: 1.05}, Level(1, True)),
        ({1: 1.0, 2: 1.5, 4: 1.6}, Level(2, True)),
        ({1: 1.0, 2: 1.5, 4: 2.0, 8: 3.0}, Level(8, True)),
    ],
)
def test_more_trainings_share_the_card_as_long_as_all_together_get_faster(
    speeds: dict[int, float], level: Level
) -> None:
    assert next_level(speeds) == level


def test_the_first_trainings_are_mean_teacher_of_one_seed() -> None:
    names = [run.name for run in plan_runs(False)]
    assert names[:3] == ["mean_teacher vanilla seed 0", "mean_teacher dc3 seed 0", "pi_model vanilla seed 0"]
    assert len(set(names)) == 36


def test_trainings_take_the_mode_that_ends_first(settings: Settings) -> None:
    """16,384 steps: 5 ms and 60 s before the first are 142 s; 4 ms and 100 s are 166 s."""
    for mode, ms, first in (("graph", 5.0, 60.0), ("compiled_graph", 4.0, 100.0), ("eager", 30.0, 1.0)):
        found = {"method": "mean_teacher", "variant": "dc3", "mode": mode, "precision": "bf16"}
        add_line(settings, "step", mode, "ok", **found, ms=ms, first_interval_s=first)
    assert choose_mode(lines_of(settings), False, "eager") == "graph"
    assert choose_mode([], False, "eager") == "eager"


def test_the_prepared_split_is_that_of_the_library(prepared: Path) -> None:
    dataset, split = read_data(prepared, 2)
    own = make_dataset()
    expected = split_images(own.counts, own.names, own.classes, SplitOptions(), 2)
    for part, rows in zip(split, expected, strict=True):
        assert np.array_equal(part, rows)
    assert np.array_equal(dataset.images, own.images)
    assert np.array_equal(dataset.counts, own.counts)
    assert dataset.names == own.names


def test_a_folder_that_lacks_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks images.npy, votes.npy, splits.npy, index.json.*prepare"):
        read_data(tmp_path, 0)


def run_script(
    settings: Settings, script: str, monkeypatch: pytest.MonkeyPatch, silent_s: float = 30.0, seconds: float = 30.0
) -> None:
    """Runs a part whose process is a script; MARKER, SETTINGS and `add` are there for it."""
    head = f"""
import os, sys, time
from pathlib import Path
from benchmarks.gpu.results import add_line, items_done
from benchmarks.gpu.settings import read_settings
SETTINGS = read_settings(Path({str(settings.file)!r}))
MARKER = Path({str(marker_path(settings, "step"))!r})
def begin(item):
    MARKER.write_text(item)
    return item not in items_done(SETTINGS, "step")
"""
    monkeypatch.setattr(watch, "part_command", lambda part, settings: [sys.executable, "-c", head + script])
    run_part(Part("step", silent_s), settings, time.time() + seconds)


def test_an_item_that_ends_its_process_is_told_and_the_next_begins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
for item in ("one", "two", "three"):
    if begin(item):
        if item == "two":
            os.abort()
        add_line(SETTINGS, "step", item, "ok")
"""
    run_script(settings, script, monkeypatch)
    found = {line["item"]: line for line in lines_of(settings)}
    assert {name: line["state"] for name, line in found.items()} == {"one": "ok", "two": "error", "three": "ok"}
    assert "status -6" in str(found["two"]["error"])


def test_an_item_that_hangs_is_given_up_and_the_next_begins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
for item in ("one", "two"):
    if begin(item):
        if item == "one":
            time.sleep(60)
        add_line(SETTINGS, "step", item, "ok")
"""
    half = settings.work / "compiled" / "half.so"
    half.parent.mkdir()
    half.touch()
    run_script(settings, script, monkeypatch, silent_s=1.0)
    found = {line["item"]: line for line in lines_of(settings)}
    assert "no result for 1 s" in str(found["one"]["error"])
    assert found["two"]["state"] == "ok"
    assert not half.exists()  # what a compiler left half would break the next process


def test_a_part_ends_at_its_deadline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    start = time.monotonic()
    run_script(settings, "begin('one'); time.sleep(60)", monkeypatch, seconds=1.0)
    assert time.monotonic() - start < 20
    (line,) = lines_of(settings)
    assert (line["item"], line["state"], line["reason"]) == ("one", "cut", "the part's time was up")


def test_a_process_that_fails_outside_of_all_items_is_not_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(settings, "MARKER.with_suffix('.starts').open('a').write('x'); sys.exit(4)", monkeypatch)
    (line,) = lines_of(settings)
    assert (line["item"], line["state"]) == ("step", "error")
    assert marker_path(settings, "step").with_suffix(".starts").read_text() == "x"


def test_a_child_ends_with_its_parent_also_where_that_died_while_it_started(tmp_path: Path) -> None:
    """The imports of a training take seconds; one that outlives its call would write into the next one's folder."""
    child = f"""
import time
from pathlib import Path
Path({str(tmp_path / "begun")!r}).touch()
time.sleep(1.0)  # its imports
from benchmarks.gpu.family import leave_with_parent
leave_with_parent()
time.sleep(1.0)
Path({str(tmp_path / "outlived")!r}).touch()
"""
    parent = f"""
import os, subprocess, sys, time
from benchmarks.gpu.family import mark_as_child
subprocess.Popen([sys.executable, "-c", {child!r}], env=os.environ | mark_as_child(), process_group=0)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT)
    end = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.wait(60)
    time.sleep(4.0)
    assert not (tmp_path / "outlived").exists()


def test_a_part_that_fails_does_not_stop_the_next(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(part: Part, settings: Settings, deadline: float) -> None:
        if part.name == "step":
            raise RuntimeError("no step today")
        add_line(settings, part.name, "all", "ok") if part.name == "tests" else None

    status, output = call(prepared, tmp_path, monkeypatch, run)
    assert status == 1
    assert [(line["part"], line["state"]) for line in read_lines(output / "results.jsonl")] == [
        ("tests", "ok"),
        ("step", "error"),
    ]
    assert "features, at most" in capsys.readouterr().out
    assert "error: step: step: RuntimeError: no step today (test_gpu_parts.py:" in (output / "table.txt").read_text()


def call(prepared: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, run: object, *more: str) -> tuple[int, Path]:
    """The command in this process, its parts replaced by `run`."""
    monkeypatch.setattr(command, "run_part", run)
    monkeypatch.setattr(command.signal, "signal", lambda *arguments: None)
    output = folder / "out"
    arguments = ["--data", str(prepared), "--output", str(output), "--work", str(folder / "work"), "--tiny", *more]
    monkeypatch.setattr(sys, "argv", ["benchmarks.gpu", *arguments])
    return command.main(), output


def test_what_an_earlier_call_left_is_set_aside_not_lost(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(part: Part, settings: Settings, deadline: float) -> None:
        add_line(settings, part.name, part.name, "ok", n=settings.call)

    call(prepared, tmp_path, monkeypatch, run, "--parts", "tests")
    call(prepared, tmp_path, monkeypatch, run, "--parts", "tests")
    assert len(read_lines(tmp_path / "work" / "results.jsonl")) == 1
    assert len(read_lines(tmp_path / "work.1" / "results.jsonl")) == 1
    _, output = call(prepared, tmp_path, monkeypatch, run, "--parts", "tests", "--resume")
    assert [line["call"] for line in read_lines(output / "results.jsonl")] == [1, 2]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--parts", "step,stop"), "--parts: stop is none of tests, step, training, features"),
        (("--seconds", "0"), "--seconds = 0.0: the budget must be above 0"),
        (("--resume",), "holds no results.jsonl of an earlier call"),
        (("--resume", "/nowhere"), "/nowhere must be the output of an earlier call"),
        (("--data", "/nowhere"), "/nowhere must hold the prepared data"),
    ],
)
def test_a_call_that_cannot_start_says_why(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    status, _ = call(prepared, tmp_path, monkeypatch, None, *more)
    assert status == 2
    assert told in capsys.readouterr().err


def test_a_line_that_a_cut_tore_is_left_out_and_the_next_stands_alone(settings: Settings) -> None:
    add_line(settings, "step", "one", "ok", ms=float("nan"))
    for folder in (settings.work, settings.output):
        with (folder / "results.jsonl").open("a") as file:
            file.write('{"part": "step", "item": "tw')
    take_over(settings)
    add_line(settings, "step", "three", "ok")
    assert [line["item"] for line in lines_of(settings)] == ["one", "three"]
    assert lines_of(settings)[0]["ms"] is None
    for text in (settings.output / "results.jsonl").read_text().splitlines():
        json.loads(text)


def test_a_later_call_tries_again_what_failed(prepared: Path, tmp_path: Path) -> None:
    first = make_settings(prepared, tmp_path)
    for item, state in (("one", "ok"), ("two", "error"), ("three", "cut"), ("four", "skipped")):
        add_line(first, "step", item, state)
    assert items_done(first, "step") == {"one", "two", "three", "four"}
    assert items_done(make_settings(prepared, tmp_path, call=2), "step") == {"one", "four"}


def give_predictions(settings: Settings, run: Run, n_images: int, width: int) -> None:
    random = np.random.default_rng(0)
    parts = np.where(np.arange(n_images) % 5 == 0, "validation", "unlabelled")
    values = (random.random((n_images, size), np.float32) for size in (3, 15, width))
    classes, clusters, embedding = values
    path = run.folder(settings) / "predictions.parquet"
    path.parent.mkdir(parents=True)
    names = np.array([f"{number}" for number in range(n_images)])
    votes = np.ones((n_images, 3), np.int64)
    write_predictions(
        Predictions(
            names, parts, classes, clusters, random.random(n_images, np.float32), embedding, votes, tuple("abc")
        ),
        path,
    )


def test_predictions_that_do_not_fit_whole_go_as_their_validation_part(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import zipfile

    from benchmarks.gpu import parcel

    for run in (FIRST, SECOND):
        give_predictions(settings, run, 200, 40)
    size = (FIRST.folder(settings) / "predictions.parquet").stat().st_size
    monkeypatch.setattr(parcel, "TOTAL_BYTES", int(1.8 * size))
    assert pack_predictions(settings, FIRST) == pack_predictions(settings, SECOND) == "predictions-1.zip"
    counts = []
    with zipfile.ZipFile(settings.output / "predictions-1.zip") as bundle:
        for run in (FIRST, SECOND):
            counts.append(len(read_predictions(Path(bundle.extract(f"{run.short}.parquet", tmp_path))).images))
    assert counts == [200, 40]


def test_bundles_stay_below_the_size_of_one_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.gpu import parcel

    give_predictions(settings, FIRST, 200, 40)
    give_predictions(settings, SECOND, 200, 40)
    size = (FIRST.folder(settings) / "predictions.parquet").stat().st_size
    monkeypatch.setattr(parcel, "FILE_BYTES", int(1.5 * size))
    assert pack_predictions(settings, FIRST) == "predictions-1.zip"
    assert pack_predictions(settings, SECOND) == "predictions-2.zip"


def test_checkpoints_travel_to_another_machine(prepared: Path, tmp_path: Path) -> None:
    """18 MB as WRN-28-2 has, in pieces of less than 16 MiB; what is finished stays."""
    here = make_settings(prepared, tmp_path)
    content = np.random.default_rng(0).bytes(FILE_BYTES + 1000)
    for run in (FIRST, SECOND):
        run.folder(here).mkdir(parents=True)
        (run.folder(here) / "checkpoint.pt").write_bytes(content)
    (FIRST.folder(here) / "result.json").write_text("{}")
    (SECOND.folder(here) / "clock.json").write_text('{"step": 512, "seconds": 3.5}')
    add_line(here, "training", SECOND.name, "cut", step=512)
    assert pack_resume(here, [FIRST, SECOND]) == [SECOND.name]
    pieces = sorted(here.output.glob("resume-*.bin"))
    assert [piece.stat().st_size <= FILE_BYTES for piece in pieces] == [True, True]
    (tmp_path / "there").mkdir()
    there = make_settings(prepared, tmp_path / "there")
    unpack_resume(here.output, there.work)
    assert (SECOND.folder(there) / "checkpoint.pt").read_bytes() == content
    assert json.loads((SECOND.folder(there) / "clock.json").read_text())["step"] == 512
    assert not FIRST.folder(there).exists()
    assert [line["step"] for line in read_lines(there.work / "results.jsonl")] == [512]
    pieces[1].unlink()
    with pytest.raises(InputError, match=r"resume-1.bin .* not whole"):
        unpack_resume(here.output, there.work)


def test_checkpoints_that_do_not_fit_stay_behind(settings: Settings) -> None:
    for run in plan_runs(False)[:6]:
        run.folder(settings).mkdir(parents=True)
        (run.folder(settings) / "checkpoint.pt").write_bytes(bytes(17_700_000))
    for number in range(4):
        (settings.output / f"taken-{number}").touch()
    packed = pack_resume(settings, plan_runs(False))
    assert packed == [run.name for run in plan_runs(False)[:3]]
    assert len(list(settings.output.iterdir())) <= N_FILES


def test_ratios_are_of_the_lines_and_a_missing_one_is_none(settings: Settings) -> None:
    way = {"method": "pi_model", "mode": "graph", "precision": "bf16"}
    for variant, ms, mib in (("vanilla", 4.0, 1000.0), ("dc3", 4.4, 1010.0), ("bare of vanilla", 3.2, 900.0)):
        add_line(settings, "step", variant, "ok", **way, variant=variant, ms=ms, peak_mib=mib, warnings=["no graph"])
    row = next(line for line in make_table(lines_of(settings)).splitlines() if line.startswith("pi_model"))
    assert row.split() == ["pi_model", "graph", "bf16", "4.00", "4.40", "1.250", "-", "1.100", "1000", "1.010"]
    assert "warning: step: vanilla and 2 more: no graph" in make_table(lines_of(settings))
