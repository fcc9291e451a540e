"""A run under another sorting is a run that everything takes: train, `dc3 sort`, predictions, page, export, best."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.predictions import read_predictions
from dc3.__main__ import main
from serving.export.to_onnx import export
from serving.model.session import Model
from training import track
from training.config import Config
from training.evaluate.metrics import evaluate_part
from training.options import SortingOptions
from training.run_data import recall_data
from training.sort_again import sort_again
from training.sorting import SORTINGS
from training.train import CHECKPOINT, SORTING, load_run, train


@pytest.mark.slow
def test_a_vanilla_run_sorted_by_confidence_goes_the_whole_way(
    store: Path, tmp_path: Path, tiny: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    config = tiny(variant="vanilla", loop={"steps": 30, "evaluate_every": 30})
    origin = train(config, show_progress=False, with_report=False)
    with pytest.raises(InputError, match="None of the 0 finished"):
        track.best_run()
    before = read_predictions(origin.predictions)
    assert main(["sort", origin.run_id, "--by", "confidence", "--ambiguous-share", "0.5"]) == 0
    printed = capsys.readouterr().out
    run_id = printed.split("run          ")[1].split()[0]
    assert f"sorted from  {origin.run_id}" in printed
    assert "purity_left_out" in printed
    assert "d_weighted" in printed

    run = load_run(run_id)
    assert track.find_run(run_id).data.tags["dc3.sorted_from"] == origin.run_id
    assert run.config.sorting == SortingOptions("confidence", ambiguous_share=0.5)
    assert run.data.split.labelled.tolist() == load_run(origin.run_id).data.split.labelled.tolist()
    assert track.fetch_file(run_id, CHECKPOINT).read_bytes() == track.fetch_file(origin.run_id, CHECKPOINT).read_bytes()
    page, card = (track.fetch_file(run_id, name).read_text("utf-8") for name in ("report.html", "model_card.md"))
    assert f"<td>confidence: {SORTINGS['confidence'].words}</td>" in page
    assert f"- sorting: `confidence: {SORTINGS['confidence'].words}`" in card
    assert track.best_run() == run_id, "it predicts the ambiguity, its origin does not"
    training = np.isin(run.predictions.parts, ("labelled", "unlabelled"))
    assert (~run.predictions.certain)[training].mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(run.predictions.classes, before.classes)
    figures = evaluate_part(run.predictions, "validation", ambiguity_aware=True)
    assert figures.items() <= run.metrics.items()
    assert "ambiguity_auroc" in figures

    path = tmp_path / "model.onnx"
    export(run_id, path)
    model = Model(path)
    assert model.card.sorting == {"by": "confidence", **run.predictor.sorting.facts()}
    dataset, _ = recall_data(run_id, run.config)
    rows = [dataset.names.index(name) for name in run.predictions.images[:64]]
    for found, expected in zip(model.predict(np.array(dataset.images[rows])), run.predictions[2:6], strict=True):
        np.testing.assert_allclose(found, expected[:64], atol=1e-4)


@pytest.mark.slow
def test_a_run_trained_with_a_sorting_equals_the_one_sorted_later_and_goes_back(
    store: Path, tiny: Callable[..., Config]
) -> None:
    """On a bank of features, whose backbone is in the run's record alone."""
    changes = {"loop": {"steps": 6}, "network": {"freeze": "all", "bank_views": 1}}
    published, at_once = (
        train(tiny(**changes, sorting={"sorting": name}), show_progress=False, with_report=False)
        for name in ("network", "confidence")
    )
    later = sort_again(published.run_id, SortingOptions("confidence"), with_report=False)
    for one, other in zip(read_predictions(at_once.predictions), read_predictions(later.predictions), strict=True):
        np.testing.assert_array_equal(one, other)
    assert at_once.metrics == later.metrics
    back = sort_again(at_once.run_id, SortingOptions("network"), with_report=False)
    first, again = (read_predictions(result.predictions) for result in (published, back))
    np.testing.assert_allclose(again.clusters, first.clusters, atol=1e-5)
    np.testing.assert_allclose(again.ambiguity, first.ambiguity, atol=1e-5)
    (track.fetch_file(published.run_id, SORTING)).unlink()
    old = load_run(published.run_id)
    assert old.predictor.sorting.facts() == {}, "a run of before is as published"


def test_a_border_is_refused_where_the_sorting_has_its_own_and_so_are_two(
    capsys: pytest.CaptureFixture[str], store: Path
) -> None:
    assert main(["sort", "RUN", "--by", "network", "--ambiguous-share", "0.5"]) == 2
    assert "--by network has its own border" in capsys.readouterr().err
    assert main(["sort", "0" * 32, "--by", "confidence"]) == 2
    assert "No run 000" in capsys.readouterr().err


def test_two_borders_or_an_unknown_sorting_are_refused(tiny: Callable[..., Config]) -> None:
    from training.config import check_config

    with pytest.raises(InputError, match="ambiguous_share and ambiguous_from both name the border: give one"):
        check_config(tiny(sorting={"ambiguous_share": 0.5, "ambiguous_from": 0.3}), "here")
    with pytest.raises(InputError, match=r"sorting = 'confidenc': must be one of .* \(did you mean confidence"):
        check_config(tiny(sorting={"sorting": "confidenc"}), "here")
