"""A run whose backbone is frozen: a head on the bank of features, recorded, resumed, loaded and exported with it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from data.errors import InputError
from data.predictions import Predictions, read_predictions
from serving.export.to_onnx import export
from serving.model.session import Model
from tests.stores import name_store, use_store
from training import track
from training.config import Config
from training.evaluate.predict import predict
from training.features.bank import open_bank
from training.loop.checkpoint import load_checkpoint
from training.networks.weights import digest_weights
from training.predict_others import predict_others
from training.run_backbone import FOLDER
from training.run_data import read_data
from training.train import TrainResult, load_run, resolve, train

pytestmark = pytest.mark.slow
LOOP = {"steps": 40, "evaluate_every": 20, "log_every": 20}
OPTIMISER = {"lr": 0.01, "ema_decay": 0.9}
FROZEN = {"network": "small", "freeze": "all", "bank_views": 2, "dropout": 0.3}


@pytest.fixture(scope="module")
def config(tiny: Callable[..., Config]) -> Config:
    return tiny(network=FROZEN, loop=LOOP, optimiser=OPTIMISER)


@pytest.fixture(scope="module")
def trained(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory, config: Config
) -> tuple[Path, TrainResult]:
    """A store and the run in it."""
    folder = tmp_path_factory.mktemp("store")
    with use_store(folder, migrated_database):
        return folder, train(config, show_progress=False)


@pytest.fixture
def result(trained: tuple[Path, TrainResult], monkeypatch: pytest.MonkeyPatch) -> TrainResult:
    """The run in its store; a test may add runs."""
    name_store(trained[0], monkeypatch)
    return trained[1]


@pytest.fixture
def copied(trained: tuple[Path, TrainResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainResult:
    """The run in a copy of its store, which a test may spoil."""
    shutil.copytree(trained[0], tmp_path / "store")
    name_store(tmp_path / "store", monkeypatch)
    return trained[1]


def assert_equal(found: Predictions, expected: Predictions) -> None:
    for name in ("classes", "clusters", "ambiguity"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4, err_msg=name)


def test_the_checkpoint_holds_the_head_alone_and_the_record_names_the_backbone(result: TrainResult) -> None:
    state = load_checkpoint(track.fetch_file(result.run_id, "checkpoint.pt"), torch.device("cpu"))
    assert set(state.network) == {"weight", "bias"}
    record = json.loads(track.fetch_file(result.run_id, "backbone.json").read_text())
    assert record == {
        "network": "small",
        "pretrained": "",
        "source": "",
        "licence": "",
        "digest": digest_weights(load_run(result.run_id).predictor.network.backbone),
    }
    assert (track.store() / FOLDER / f"{record['digest']}.pt").is_file()
    assert np.isfinite(list(result.metrics.values())).all()
    assert result.report.is_file()


def test_predictions_are_those_of_the_bank_s_plain_views(result: TrainResult) -> None:
    """And of the loaded run on the images themselves."""
    run, stored = load_run(result.run_id), read_predictions(result.predictions)
    dataset, split = read_data(run.config)
    network = run.predictor.network
    bank = open_bank(
        network, dataset, track.store() / "features", n_views=2, views=frozenset({"weak"}), device=torch.device("cpu")
    )
    assert np.array_equal(stored.embedding, bank.plain.astype(np.float32))
    rows = np.arange(0, len(dataset.names), 41)
    assert_equal(predict(run.predictor, dataset, split, rows), stored.select(rows))


def test_images_that_a_run_has_not_seen_are_predicted_from_the_bank(
    result: TrainResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by the network itself: here those that are struck from the run's record. The backbone is not asked again."""
    run, stored = load_run(result.run_id), read_predictions(result.predictions)
    dataset, _ = read_data(run.config)
    rows = np.arange(3, len(dataset.names), 41)
    known = np.delete(np.array(dataset.names, dtype=object), rows)
    monkeypatch.setattr(run.predictor.network, "features", lambda images: pytest.fail("not from the bank"))
    found = predict_others(run._replace(data=run.data._replace(names=tuple(known))), dataset)
    assert found.images.tolist() == [dataset.names[row] for row in rows]
    assert set(found.parts) == {"test"}
    assert_equal(found, stored.select(rows))


def test_one_file_answers_as_the_run_does(result: TrainResult, tmp_path: Path) -> None:
    """Backbone and head, on real images; INT8 goes through the gate of today."""
    stored = read_predictions(result.predictions)
    dataset, _ = read_data(load_run(result.run_id).config)
    rows = np.linspace(0, len(dataset.names) - 1, 64).astype(int)
    card = export(result.run_id, tmp_path / "model.onnx").card
    assert card.network == "small"
    model = Model(tmp_path / "model.onnx")
    found = model.predict(np.array(dataset.images[rows]))
    expected = stored.select(rows)
    for name in ("classes", "clusters", "ambiguity"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4, err_msg=name)
    np.testing.assert_allclose(found.embedding, expected.embedding, atol=1e-3 * expected.embedding.max())


def test_a_mirroring_run_answers_by_the_mean_of_both_and_so_does_its_file(
    copied: TrainResult, config: Config, tmp_path: Path
) -> None:
    mirroring = replace(config, network=replace(config.network, mirror=True))
    found = train(mirroring, show_progress=False, with_report=False)
    stored, plain = read_predictions(found.predictions), read_predictions(copied.predictions)
    run = load_run(found.run_id)
    dataset, split = read_data(run.config)
    flipped = dataset._replace(images=np.ascontiguousarray(dataset.images[:, :, ::-1]))
    seen = load_run(copied.run_id).predictor
    mirrored = predict(seen, flipped, split).embedding
    np.testing.assert_allclose(
        stored.embedding, (plain.embedding + mirrored) / 2, atol=2e-3 * float(plain.embedding.max())
    )
    assert not np.allclose(stored.embedding, plain.embedding, atol=1e-2 * float(plain.embedding.max()))
    assert_equal(predict(run.predictor, flipped, split), stored)  # the mirror image has the same answer
    path = tmp_path / "model.onnx"
    export(found.run_id, path)
    scores = Model(path).predict(dataset.images[:64])
    expected = stored.select(np.arange(64))
    for name in ("classes", "clusters", "ambiguity"):
        np.testing.assert_allclose(getattr(scores, name), getattr(expected, name), atol=1e-4, err_msg=name)


def test_a_repeated_run_takes_the_bank_and_ends_in_the_same_weights(result: TrainResult, config: Config) -> None:
    tables = {path: path.stat().st_mtime_ns for path in (track.store() / "features").glob("*/*.npy")}
    assert len(tables) == 2
    again = train(config, repeat=result.run_id, show_progress=False, with_report=False)
    assert {path: path.stat().st_mtime_ns for path in (track.store() / "features").glob("*/*.npy")} == tables
    first, second = (read_predictions(one.predictions) for one in (result, again))
    assert np.array_equal(first.classes, second.classes)
    assert np.array_equal(first.clusters, second.clusters)


def test_a_run_that_was_cut_goes_on_to_the_same_weights(result: TrainResult, config: Config) -> None:
    def cut(step: int, metrics: dict[str, float]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train(config, name="cut", on_eval=cut, show_progress=False, with_report=False)
    (run,) = mlflow.search_runs(filter_string="attributes.run_name = 'cut'", output_format="list")
    run_id = run.info.run_id
    resumed = train(track.load_config(run_id), run_id=run_id, show_progress=False, with_report=False)
    first, second = (read_predictions(one.predictions) for one in (result, resumed))
    assert np.array_equal(first.classes, second.classes)


def test_runs_of_another_variant_and_other_labels_share_the_bank_and_the_copy(
    copied: TrainResult, config: Config
) -> None:
    before = list((track.store() / "features").iterdir())
    other = replace(config, split=replace(config.split, labels="majority"), variant="vanilla")
    train(other, show_progress=False, with_report=False)
    assert list((track.store() / "features").iterdir()) == before
    assert len(list((track.store() / FOLDER).iterdir())) == 1


def test_a_backbone_that_is_gone_is_built_again_or_said(copied: TrainResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn again by the seed, here."""
    (copy,) = (track.store() / FOLDER).iterdir()
    copy.write_bytes(copy.read_bytes()[:1000])
    expected = read_predictions(copied.predictions).select(np.arange(50))
    run = load_run(copied.run_id)
    assert_equal(predict(run.predictor, *read_data(run.config), np.arange(50)), expected)
    monkeypatch.setattr("training.run_backbone.digest_weights", lambda _: "0" * 64)
    with pytest.raises(InputError, match=r"is a head on features of small .*another digest\). Copy backbones/\w+\.pt"):
        load_run(copied.run_id)


def test_other_weights_are_refused_by_resume_and_repeat(copied: TrainResult, config: Config) -> None:
    other = replace(config, runtime=replace(config.runtime, seed=1))
    with pytest.raises(InputError, match="the weights are now others, digest"):
        train(other, repeat=copied.run_id, show_progress=False, with_report=False)


def test_a_head_alone_is_trained_in_float32(config: Config) -> None:
    auto = replace(config, runtime=replace(config.runtime, precision="auto"))
    assert resolve(auto).runtime.precision == "float32"
