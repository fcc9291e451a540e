"""A run from configuration to record: repeated, resumed, reported, loaded again."""

import json
import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch

from data.errors import InputError
from data.predictions import read_predictions
from tests.stores import name_store, use_store
from training import track
from training.config import Config
from training.evaluate.predict import predict
from training.losses.dc3 import VARIANTS
from training.methods import METHODS
from training.run_data import read_data
from training.track.connection import hide_password
from training.train import TrainResult, load_run, train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Config]
) -> tuple[Path, TrainResult]:
    """A store and the run in it."""
    folder = tmp_path_factory.mktemp("store")
    with use_store(folder, migrated_database):
        return folder, train(tiny(split={"test": 0.2}), name="mine", show_progress=False)


@pytest.fixture
def result(trained: tuple[Path, TrainResult], monkeypatch: pytest.MonkeyPatch) -> TrainResult:
    """The run in its store; a test may add runs and reads the others."""
    name_store(trained[0], monkeypatch)
    return trained[1]


def test_run_holds_all_that_is_promised(result: TrainResult) -> None:
    run = track.find_run(result.run_id)
    names = {file.path for file in mlflow.artifacts.list_artifacts(run_id=result.run_id)}
    assert names >= {"config.json", "split.csv", "checkpoint.pt", "predictions.parquet", "report.html", "model_card.md"}
    figures = {file.path for file in mlflow.artifacts.list_artifacts(run_id=result.run_id, artifact_path="figures")}
    assert "figures/confusion.png" in figures
    assert run.data.tags["mlflow.source.git.commit"]
    assert run.inputs.dataset_inputs[0].dataset.digest == run.data.tags["dc3.fingerprint"]
    for name in ("f1", "d", "d_minus_f1", "accuracy", "test_f1", "loss_ssl", "loss_ambiguity", "loss_gradient"):
        assert name in run.data.metrics
    history = track.connect().get_metric_history(result.run_id, "f1")
    assert [point.step for point in history][:2] == [2, 4]
    assert run.info.status == "FINISHED"
    # the digits have tied votes: said before the training, kept with the run, shown in the page
    said = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notices.txt")
    assert "images with votes have several classes with most votes" in said
    page = result.report.read_text() + result.report.with_name("model_card.md").read_text()
    assert all(line in page for line in said.splitlines())
    n = int((read_predictions(result.predictions).parts == "labelled").sum())
    used = run.data.tags["dc3.votes_used"]
    assert re.fullmatch(rf"{n} of [\d,]+ votes on {n} images", used), "one vote is drawn from each"
    assert f"uses {used} (" in said
    assert f"<td>uses {used}</td>" in result.report.read_text()


def test_split_is_stored_with_the_run(result: TrainResult) -> None:
    predictions = read_predictions(result.predictions)
    table = pd.read_csv(track.fetch_file(result.run_id, "split.csv"))
    assert table["image"].tolist() == predictions.images.tolist()
    assert table["part"].tolist() == predictions.parts.tolist()
    assert track.load_data_record(result.run_id).parts.tolist() == predictions.parts.tolist()


def test_run_repeats_from_its_id_alone(result: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    again = train(track.load_config(result.run_id), show_progress=False, with_report=False)
    assert again.run_id != result.run_id
    first, second = read_predictions(result.predictions), read_predictions(again.predictions)
    assert np.array_equal(first.classes, second.classes)
    assert np.array_equal(first.ambiguity, second.ambiguity)


def test_resume_brings_the_checkpoint_from_the_store(
    trained: tuple[Path, TrainResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine the work folder is empty: a run that was killed at its end then needs no further step."""
    store, result = trained
    shutil.copytree(store, tmp_path / "store", ignore=shutil.ignore_patterns("work"))
    name_store(tmp_path / "store", monkeypatch)
    track.connect().update_run(result.run_id, status="KILLED")
    monkeypatch.setattr("training.loop.fit.train_step", lambda *_: pytest.fail("trained again"))
    again = train(track.load_config(result.run_id), run_id=result.run_id, show_progress=False, with_report=False)
    assert again.metrics == result.metrics


def test_loaded_run_predicts_what_was_stored(result: TrainResult) -> None:
    run = load_run(result.run_id)
    dataset, split = read_data(run.config)
    rows = np.arange(0, len(dataset.names), 97)
    found = predict(run.predictor, dataset, split, rows)
    assert np.allclose(found.classes, run.predictions.classes[rows], atol=1e-6)
    assert np.allclose(found.ambiguity, run.predictions.ambiguity[rows], atol=1e-6)
    assert len(run.captions) == 50


def test_folder_data_train_from_any_directory(
    store: Path, tmp_path: Path, tiny: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    (tmp_path / "images").mkdir()
    rows = []
    for index in range(40):
        Image.new("RGB", (12, 12), (6 * index, 0, 0)).save(tmp_path / "images" / f"{index}.png")
        rows.append((f"{index}.png", "dark" if index < 20 else "bright", 3))
    pd.DataFrame(rows, columns=["image", "label", "votes"]).to_csv(tmp_path / "votes.csv", index=False)
    (tmp_path / "images" / "broken.png").write_text("no image")
    monkeypatch.chdir(tmp_path)
    data = {"source": "folder", "images": "images", "votes": "votes.csv", "size": 16}
    with pytest.raises(InputError, match=r"broken\.png"):
        train(tiny(data=data), show_progress=False)
    result = train(tiny(data=data | {"skip_bad_images": True}), show_progress=False)
    assert len(result.left_out) == 1
    assert "broken.png" in result.left_out[0]
    assert "broken.png" in track.fetch_file(result.run_id, "left_out.txt").read_text()
    config = json.loads(track.fetch_file(result.run_id, "config.json").read_text())
    assert Path(config["data"]["images"]).is_absolute()


def test_nothing_is_recorded_when_the_data_are_faulty(store: Path, tiny: Callable[..., Config]) -> None:
    with pytest.raises(InputError, match="No images at"):
        train(tiny(data={"source": "folder", "images": "nowhere", "votes": "none.csv"}), show_progress=False)
    client = track.connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    assert not client.search_runs(experiments)


def test_a_store_that_cannot_be_reached_is_named_without_its_password(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store / "mlflow.db").write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match=r"mlflow\.db cannot be reached \(.*file is not a database"):
        track.best_run()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://me:secret@127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        mlflow.set_tracking_uri(address)  # as a new process does by itself
        with pytest.raises(InputError, match=r"runs in http://me:\*\*\*@127") as refused:
            track.connect()
    assert "MLFLOW_TRACKING_URI" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@db/mlflow", "postgresql://me:***@db/mlflow"),
        ("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db"),
        ("./mlruns", "./mlruns"),
    ],
)
def test_messages_hide_the_password_of_an_address(address: str, shown: str) -> None:
    assert hide_password(address) == shown


def test_a_record_that_the_store_refuses_tells_how_to_go_on(store: Path) -> None:
    def record_twice() -> None:
        with track.open_run("twice"):
            mlflow.log_param("steps", 1)
            mlflow.log_param("steps", 2)

    with pytest.raises(InputError, match="cannot be recorded") as refused:
        record_twice()
    (run,) = mlflow.search_runs(output_format="list")
    assert f"--resume {run.info.run_id}" in str(refused.value)
    assert run.info.status == "FAILED"


def test_unknown_run_is_named(store: Path) -> None:
    with pytest.raises(InputError, match="No run 0123"):
        track.load_config("0123")


def test_ambiguity_is_zero_where_the_variant_predicts_none(store: Path, tiny: Callable[..., Config]) -> None:
    result = train(tiny(variant="vanilla"), show_progress=False)
    assert (read_predictions(result.predictions).ambiguity == 0).all()
    assert result.metrics["ambiguous_share"] == 0
    assert "ambiguity_auroc" not in result.metrics


@pytest.mark.parametrize(
    ("method", "variant"),
    [*((method, "dc3") for method in METHODS), *(("fixmatch", variant) for variant in VARIANTS if variant != "dc3")],
)
def test_every_method_and_every_variant_ends_in_a_record(
    store: Path, tiny: Callable[..., Config], method: str, variant: str
) -> None:
    """All their combinations go through the loop in loop/test_fit.py; the record does not know of methods."""
    config = tiny(method=method, variant=variant, loop={"steps": 2, "evaluate_every": 2, "log_every": 1})
    result = train(config, show_progress=False, with_report=False)
    assert np.isfinite(list(result.metrics.values())).all()


def test_real_votes_train(cifar10h: Path, store: Path, tiny: Callable[..., Config]) -> None:
    """CIFAR-10H from its files: Table 1's split, and a share of disputed images as its votes have it."""
    data = {
        "source": "folder",
        "images": str(cifar10h / "images.zip"),
        "votes": str(cifar10h / "votes.csv"),
        "size": 32,
    }
    config = tiny(data=data)
    config = replace(config, runtime=replace(config.runtime, precision="auto"))
    dataset, split = read_data(config)
    assert [len(part) for part in split] == [1600, 6400, 2000, 0, 0]
    assert int(dataset.counts.sum()) > 500_000
    assert dataset.classes[:3] == ("airplane", "automobile", "bird")
    result = train(config, show_progress=False, with_report=False)
    assert torch.isfinite(torch.tensor(result.metrics["d"]))
