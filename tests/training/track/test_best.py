"""The best run and the champion: of the same data and the same validation images, by right proposals."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pytest

from data.errors import InputError
from data.predictions import Predictions, write_predictions
from tests.training.evaluate.test_metrics import make_predictions
from training import track
from training.batches.data_record import DataRecord
from training.evaluate.metrics import evaluate_part
from training.track import registry
from training.track.registry import register_onnx


def record(name: str, *, data: str = "f", validation: str = "v", variant: str = "dc3", **metrics: float) -> str:
    """A finished training with these figures."""
    tags = {"dc3.kind": "train", "dc3.fingerprint": data, "dc3.validation": validation}
    with track.open_run(name, tags=tags) as run_id:
        mlflow.log_params({"variant": variant})
        track.log_metrics({"d_minus_f1": 0.0, "degenerate": 0} | metrics)
    return run_id


def keep_predictions(run_id: str, predictions: Predictions, folder: Path) -> None:
    """As a run of before has them."""
    write_predictions(predictions, folder / track.PREDICTIONS_FILE)
    track.connect().log_artifact(run_id, str(folder / track.PREDICTIONS_FILE))


def test_the_best_run_has_most_right_proposals_whatever_tiny_clusters_do_to_d(store: Path) -> None:
    """The case of the issue: 16.4 % right with the lower d - F1, over 40.6 %."""
    track.connect()
    with pytest.raises(InputError, match="No finished training"):
        track.best_run()
    tiny = record("tiny clusters", proposals_right=0.164, d_minus_f1=-0.5)
    honest = record("honest", proposals_right=0.406, d_minus_f1=-0.1)
    assert track.best_run() == honest
    assert track.best_run("d_minus_f1") == tiny


def test_a_degenerate_run_is_best_only_by_being_right_more_often(store: Path) -> None:
    track.connect()
    good = record("good", proposals_right=0.5, d_minus_f1=-0.3)
    record("degenerate", proposals_right=0.4, d_minus_f1=-0.9, degenerate=1)
    assert (track.best_run(), track.best_run("d_minus_f1")) == (good, good)
    right = record("degenerate, but right", proposals_right=0.6, d_minus_f1=-0.9, degenerate=1)
    assert (track.best_run(), track.best_run("d_minus_f1")) == (right, good)


def test_only_runs_on_the_newest_run_s_data_and_validation_images_are_compared_and_that_is_said(store: Path) -> None:
    track.connect()
    record("other data", data="g", proposals_right=0.9)
    record("other images", validation="w", proposals_right=0.8)
    record("without ambiguity", variant="vanilla", proposals_right=0.7)
    mine = record("mine", proposals_right=0.5)
    record("worse", proposals_right=0.4)
    notices: list[str] = []
    assert track.best_run(on_notice=notices.append) == mine
    elsewhere, notice = notices
    assert "1 of 5 runs were trained on other data (images or votes) than the newest run" in elsewhere
    assert "1 of 3 runs on the data of the newest run were measured on other validation images" in notice


def test_a_run_of_before_is_measured_by_its_predictions(store: Path, tmp_path: Path) -> None:
    track.connect()
    parts = np.repeat(["labelled", "validation"], 30)
    predictions = make_predictions([0.1] * 60)._replace(parts=parts)
    right = predictions._replace(classes=np.eye(3, dtype=np.float32)[predictions.labels])
    record_of = DataRecord(tuple(right.images), parts, ("a", "b", "c"), right.votes, (), "f")
    old = record("old", validation="")
    keep_predictions(old, right, tmp_path)
    lost = record("lost", validation=record_of.validation_id)
    new = record("new", validation=record_of.validation_id, proposals_right=0.9)
    notices: list[str] = []
    assert track.best_run(on_notice=notices.append) == old
    assert (
        f"1 run(s) have no proposals_right, nor predictions to compute it from, and are left out: {lost}" in notices[0]
    )
    figures = track.find_figures(old)
    assert figures["proposals_right"] == 1
    assert figures["proposals_right_commonest"] == evaluate_part(right, "validation", True)["proposals_right_commonest"]
    assert figures["d_minus_f1"] == 0, "what was recorded stays"
    assert track.find_figures(new)["proposals_right"] == 0.9


def test_an_unfinished_run_is_no_best_one(store: Path) -> None:
    track.connect()
    done = record("done", proposals_right=0.2)
    tags = {"dc3.kind": "train", "dc3.fingerprint": "f", "dc3.validation": "v"}
    with track.open_run("goes on", tags=tags):
        track.log_metrics({"proposals_right": 0.9, "degenerate": 0})
        assert track.best_run() == done


def test_runs_that_cannot_be_chosen_are_told(store: Path) -> None:
    track.connect()
    record("blind", variant="vanilla", proposals_right=0.9)
    with pytest.raises(InputError, match=r"None of the 0 finished run\(s\).*--variant dc3"):
        track.best_run()
    record("degenerate", degenerate=1)
    with pytest.raises(InputError, match="can be chosen by d_minus_f1: the others are degenerate"):
        track.best_run("d_minus_f1")


def test_the_same_validation_images_have_the_same_name_in_any_order() -> None:
    parts = np.array(["validation", "labelled", "validation"])
    one = DataRecord(("a", "b", "c"), parts, (), np.zeros((3, 0), int), (), "f")
    turned = one._replace(names=("c", "b", "a"))
    assert one.validation_id == turned.validation_id
    assert one.validation_id != one._replace(names=("a", "c", "b")).validation_id
    trains = np.array(["validation", "unlabelled", "validation"])
    assert one._replace(parts=trains).validation_id == one.validation_id, "what else trains is no matter"


@pytest.fixture
def register(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Registers runs one after the other without a model, and tells who is the champion after each, or why not."""
    track.connect()
    client = track.connect()
    client.create_registered_model("owls")

    def log_model(run_id: str) -> object:
        version = client.create_model_version("owls", (store / "artifacts" / run_id).as_uri(), run_id).version
        return SimpleNamespace(registered_model_version=version)

    monkeypatch.setattr(
        registry.mlflow, "onnx", type("Onnx", (), {"log_model": lambda *_, run_id, **__: log_model(run_id)})
    )
    monkeypatch.setattr(registry, "_onnx_signature", lambda _: None)
    monkeypatch.setattr("onnx.load", lambda _: None)

    def take(*runs: str, by: str = "proposals_right") -> list[str]:
        told = []
        for run_id in runs:
            notices: list[str] = []
            register_onnx(run_id, store / "none.onnx", "owls", by, notices.append)
            told.append(notices[0] if notices else "champion")
        return told

    return take


def test_the_champion_is_the_version_with_most_right_proposals(register: Callable[..., list[str]]) -> None:
    first = record("first", proposals_right=0.4, d_minus_f1=-0.1)
    tiny = record("tiny clusters", proposals_right=0.2, d_minus_f1=-0.8)
    better = record("better", proposals_right=0.5, d_minus_f1=0.2)
    told = register(first, tiny, better)
    assert (told[0], told[2]) == ("champion", "champion")
    assert told[1] == (
        "owls version 2 is not the champion: proposals_right 0.2000 is no better than the champion's 0.4000"
    )
    assert register(tiny, by="d_minus_f1") == ["champion"]


def test_an_equal_version_leaves_the_champion_and_one_without_figures_is_not_beaten(
    register: Callable[..., list[str]],
) -> None:
    first, equal = record("first", proposals_right=0.4), record("equal", proposals_right=0.4)
    assert register(first, equal) == [
        "champion",
        "owls version 2 is not the champion: proposals_right 0.4000 is no better than the champion's 0.4000",
    ]
    old = record("of before")
    assert register(old, by="d_minus_f1")[0].endswith("is no better than the champion's 0.0000")
    assert "it has no proposals_right to be chosen by" in register(old)[0]


def test_a_champion_of_before_without_the_figure_is_left_to_the_user(register: Callable[..., list[str]]) -> None:
    assert register(record("of before"), by="d_minus_f1") == ["champion"]
    (told,) = register(record("new", proposals_right=0.9))
    assert "the champion has no proposals_right to compare with; move the alias by hand" in told


def test_figures_of_other_data_or_images_move_no_alias_and_that_is_said(register: Callable[..., list[str]]) -> None:
    first = record("first", proposals_right=0.4)
    other_data = record("other", data="g", proposals_right=0.9)
    other_images = record("others", validation="w", proposals_right=0.9)
    told = register(first, other_data, other_images)
    assert "the champion was trained on other data; move the alias by hand" in told[1]
    assert "the champion was measured on other validation images; move the alias by hand" in told[2]


def test_a_model_no_better_than_the_commonest_class_is_no_champion_even_as_the_first(
    register: Callable[..., list[str]],
) -> None:
    figures = {"proposals_right": 0.3, "proposals_right_commonest": 0.3, "measured_images": 100}
    assert register(record("useless", **figures)) == [
        "owls version 1 is not the champion: its proposals are no better than the commonest class"
    ]
    assert register(record("degenerate", degenerate=1), by="d_minus_f1")[0].endswith("or is degenerate")
