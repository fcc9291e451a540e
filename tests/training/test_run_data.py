"""A run is what its record says, whatever becomes of the lab's images and votes."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data.errors import InputError
from data.predictions import read_predictions
from dc3.__main__ import main
from serving.export.to_onnx import choose_typical, export
from serving.model.card import BadModel, ModelCard
from serving.model.session import Model
from tests.stores import name_store, use_store
from training import track
from training.config import Config
from training.run_data import find_images
from training.train import load_run, train

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


class Lab(NamedTuple):
    """A folder of images and votes, and a finished run on them."""

    images: Path
    votes: Path
    store: Path
    run_id: str


def write_votes(path: Path, names: tuple[str, str] = ("dark", "bright")) -> None:
    rows = [(f"{index}.png", names[index >= 30], 2 + index % 2) for index in range(60)]
    pd.DataFrame(rows, columns=["image", "label", "votes"]).to_csv(path, index=False)


@pytest.fixture(scope="module")
def original(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Trained in a process of its own, with a model in the registry."""
    folder = tmp_path_factory.mktemp("lab")
    lab = Lab(folder / "images", folder / "votes.csv", folder / "store", "")
    lab.images.mkdir()
    random = np.random.default_rng(0)
    for index in range(60):
        pixels = random.integers(0, 120, (16, 16, 3), np.uint8) + np.uint8(120 * (index >= 30))
        Image.fromarray(pixels).save(lab.images / f"{index}.png")
    write_votes(lab.votes)
    with use_store(lab.store, migrated_database):
        options = ["--size", "16", "--steps", "2", "--evaluate-every", "2", "--batch-size", "8", "--device", "cpu"]
        data = ["--source", "folder", "--images", str(lab.images), "--votes", str(lab.votes), "--test", "0.2"]
        command = [sys.executable, "-m", "dc3", "train", "--preset", "own", *options, *data, "--register", "owls"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    (run_id,) = (line.split()[1] for line in done.stdout.splitlines() if line.startswith("run "))
    return lab._replace(run_id=run_id)


@pytest.fixture
def lab(original: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A copy to change, whose store was moved by the copying."""
    shutil.copytree(original.store, tmp_path / "store")
    shutil.copytree(original.images, tmp_path / "images")
    shutil.copy(original.votes, tmp_path / "votes.csv")
    name_store(tmp_path / "store", monkeypatch)
    return Lab(tmp_path / "images", tmp_path / "votes.csv", tmp_path / "store", original.run_id)


def here(lab: Lab) -> Config:
    """The run's configuration, with the data where this test has them."""
    config = track.load_config(lab.run_id)
    return replace(config, data=replace(config.data, images=str(lab.images), votes=str(lab.votes)))


def test_export_says_what_the_run_said_whatever_the_votes_are_now(lab: Lab, tmp_path: Path) -> None:
    """The class dark is now called zoo: sorted anew, every answer would have the other class's name."""
    write_votes(lab.votes, ("zoo", "bright"))
    exported = export(lab.run_id, tmp_path / "model.onnx")
    assert exported.notes == ()
    model = Model(tmp_path / "model.onnx")
    predictions = read_predictions(track.fetch_file(lab.run_id, "predictions.parquet"))
    assert model.card.classes == predictions.class_names == ("bright", "dark")
    pixels = find_images(load_run(lab.run_id).data, here(lab), predictions.images.tolist()).pixels
    found = model.predict(np.stack([pixels[name] for name in predictions.images]))
    assert np.abs(found.classes - predictions.classes).max() < 1e-4


def check_typical(card: ModelCard, lab: Lab, gone: set[str]) -> None:
    trained = load_run(lab.run_id)
    typical = choose_typical(trained.predictions, len(trained.captions), 6)
    assert [len(images) for images in card.typical] == [len(set(names) - gone) for names in typical]


def test_images_that_are_gone_or_changed_do_not_travel_and_the_rest_does(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(lab.store / "data")  # decoded images would do: their key is the run's fingerprint
    trained = load_run(lab.run_id)._replace(config=here(lab))
    monkeypatch.setattr("training.train.load_run", lambda _: trained)
    first, second = trained.data.names[0], trained.data.names[1]
    (lab.images / first).unlink()
    Image.new("RGB", (16, 16), (1, 2, 3)).save(lab.images / second)
    write_votes(lab.votes, ("zoo", "bright"))
    exported = export(lab.run_id, tmp_path / "model.onnx")
    (note,) = exported.notes
    assert f"images are gone or changed: {first}, {second}" in note
    monkeypatch.undo()
    monkeypatch.setenv("DC3_STORE", str(lab.store))
    check_typical(exported.card, lab, {first, second})
    assert len(exported.card.typical) == len(trained.captions)


def test_export_needs_no_images_but_a_quantised_one_is_refused_without(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(lab.store / "data")
    trained = load_run(lab.run_id)._replace(config=here(lab))
    monkeypatch.setattr("training.train.load_run", lambda _: trained)
    shutil.rmtree(lab.images)
    exported = export(lab.run_id, tmp_path / "model.onnx")
    assert "No images at" in exported.notes[0]
    assert "compared on drawn pixels" in exported.notes[0]
    assert not any(exported.card.typical)
    assert Model(tmp_path / "model.onnx").card.classes == ("bright", "dark")
    with pytest.raises(BadModel, match="Export to int8 is checked on the run's images, but"):
        export(lab.run_id, tmp_path / "small.onnx", precision="int8")


def test_proposals_show_the_run_s_images_or_none(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = here(lab)
    monkeypatch.setattr("training.track.load_config", lambda _: config)
    lab.votes.write_text("image,label\n")  # not needed: the record has the votes
    assert main(["propose", lab.run_id, "--anyway", "--output", str(tmp_path / "good")]) == 0
    Image.new("RGB", (16, 16), (1, 2, 3)).save(lab.images / "7.png")
    assert main(["propose", lab.run_id, "--anyway", "--output", str(tmp_path / "bad")]) == 2
    assert "1 image(s) that the run was trained on are gone from" in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()


def test_a_finished_run_is_never_written_again(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (lab.store / "artifacts").rglob("*") if path.is_file()}
    end = track.find_run(lab.run_id).info.end_time
    write_votes(lab.votes, ("zoo", "bright"))
    assert main(["train", "--resume", lab.run_id, "--votes", str(lab.votes), "--register", ""]) == 2
    assert f"is finished and is never written again: --repeat {lab.run_id}" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (lab.store / "artifacts").rglob("*") if path.is_file()} == before
    assert track.find_run(lab.run_id).info.end_time == end


@pytest.mark.parametrize("verb", ["--resume", "--repeat"])
def test_changed_data_are_told_and_refused(lab: Lab, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    track.connect().update_run(lab.run_id, status="KILLED")
    write_votes(lab.votes, ("zoo", "bright"))
    given = ["--images", str(lab.images), "--votes", str(lab.votes), "--register", ""]
    assert main(["train", verb, lab.run_id, *given]) == 2
    told = capsys.readouterr().err
    assert f"The data are no longer those of run {lab.run_id}:\n- class dark is now called zoo" in told
    assert "--images and --votes" in told
    assert track.find_run(lab.run_id).info.status == "KILLED"


@pytest.mark.parametrize("verb", ["--resume", "--repeat"])
def test_options_that_the_record_decides_are_refused(lab: Lab, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    track.connect().update_run(lab.run_id, status="KILLED")
    given = ["--seed", "5", "--steps", "2", "--variant", "vanilla", "--register", ""]
    assert main(["train", verb, lab.run_id, *given]) == 2
    told = capsys.readouterr().err
    assert "\n- variant = dc3, not vanilla\n" in told
    assert "\n- seed = 0, not 5\n" in told
    assert "steps" not in told, "given as it was"


def test_a_run_of_before_does_not_tell_which_image_changed(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = (lab.store / "artifacts").rglob("data.parquet")
    path.unlink()
    config = track.load_config(lab.run_id)
    config = replace(config, data=replace(config.data, images=str(lab.images), votes=str(lab.votes)))
    monkeypatch.setattr("training.track.load_config", lambda _: config)
    assert main(["propose", lab.run_id, "--anyway", "--output", str(tmp_path / "same")]) == 0
    assert "older version" not in capsys.readouterr().out
    Image.new("RGB", (16, 16), (1, 2, 3)).save(lab.images / "7.png")
    assert main(["propose", lab.run_id, "--anyway", "--output", str(tmp_path / "other")]) == 0
    assert "note         images or votes are others" in capsys.readouterr().out


def test_a_repeat_elsewhere_equals_the_run_and_keeps_its_split(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.run_data.divide", lambda *_: pytest.fail("split anew"))
    given = ["--images", str(lab.images), "--votes", str(lab.votes), "--register", ""]
    assert main(["train", "--repeat", lab.run_id, *given]) == 0
    (new,) = (line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("run "))
    first, second = (read_predictions(track.fetch_file(run, "predictions.parquet")) for run in (lab.run_id, new))
    for name, value in first._asdict().items():
        assert np.array_equal(value, getattr(second, name)), name
    config = track.load_config(lab.run_id)
    assert (config.runtime.device, config.runtime.precision in ("bf16", "float32")) == ("cpu", True)


def test_final_figures_stand_at_the_last_step_and_the_page_tells_the_parts_apart(lab: Lab) -> None:
    client = track.connect()
    run = track.find_run(lab.run_id)
    for name in ("f1", "d", "accuracy", "test_f1", "seconds"):
        assert {point.step for point in client.get_metric_history(lab.run_id, name)} == {2}, name
    predictions = read_predictions(track.fetch_file(lab.run_id, "predictions.parquet"))
    validation = predictions.part("validation")
    right = validation.classes.argmax(1) == validation.votes.argmax(1)
    assert run.data.metrics["accuracy"] == pytest.approx(right.mean())
    page = track.fetch_file(lab.run_id, "report.html").read_text("utf-8")
    assert "Metrics on test" in page
    assert ">test part: accuracy of the class, all images<" in page


def test_the_registry_s_model_is_found_after_the_store_was_moved(lab: Lab, tmp_path: Path) -> None:
    version = track.resolve_model("models:/owls/1")  # no champion: two steps make a degenerate run
    fetched = track.fetch_model(version, tmp_path)
    assert Model(fetched).card.run_id == lab.run_id


def test_mlflow_s_own_command_loads_the_registered_model(lab: Lab) -> None:
    code = (
        "import mlflow, numpy as np; from training import track; track.connect()\n"
        "model = mlflow.pyfunc.load_model('models:/owls/1')\n"
        "out = model.predict({'images': np.zeros((2, 16, 16, 3), np.uint8)})\n"
        "print({name: value.shape for name, value in out.items()}); assert model.metadata.signature"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert loaded.returncode == 0, loaded.stderr
    assert "'class_probabilities': (2, 2)" in loaded.stdout
    assert "'ambiguity': (2,)" in loaded.stdout


def test_a_run_of_an_older_version_still_opens(lab: Lab, tmp_path: Path) -> None:
    """Without data.parquet, with names in quotes in its split, and with `auto` in its configuration."""
    folder = lab.store / "artifacts" / lab.run_id / "artifacts"
    new = track.load_data_record(lab.run_id)
    (folder / "data.parquet").unlink()
    config = (folder / "config.json").read_text().replace('"cpu"', '"auto"').replace('"float32"', '"auto"')
    (folder / "config.json").write_text(config)
    old = track.load_data_record(lab.run_id)
    assert (old.names, old.classes, old.digests) == (new.names, new.classes, ())
    assert old.parts.tolist() == new.parts.tolist()
    assert np.array_equal(old.counts, new.counts)
    assert export(lab.run_id, tmp_path / "model.onnx").card.classes == ("bright", "dark")
    (folder / "predictions.parquet").unlink()
    rows = [f'"{name}",{part}' for name, part in zip(new.names, new.parts, strict=True)]
    (folder / "split.csv").write_text("\n".join(["image,part", *rows]) + "\n")
    unfinished = track.load_data_record(lab.run_id)
    assert [rows.tolist() for rows in unfinished.split] == [rows.tolist() for rows in new.split]
    write_votes(lab.votes, ("zoo", "bright"))
    track.connect().update_run(lab.run_id, status="KILLED")
    with pytest.raises(InputError, match=r"the fingerprint is .*, not "):
        train(here(lab), run_id=lab.run_id, show_progress=False)
