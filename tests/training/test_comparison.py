"""`compare`: one run a combination, one table, and it goes on after an interruption."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from tests.training.evaluate.test_metrics import make_predictions
from training import track
from training.comparison import _name, compare, plan, with_baseline
from training.config import Config
from training.evaluate.baseline import fair_baseline, flat_baseline
from training.methods import METHODS
from training.options import CompareOptions, SortingOptions
from training.report.setup_rows import RunRow


def test_plan_has_every_combination_with_seeds_outermost(tiny: Callable[..., Config]) -> None:
    configs = plan(tiny(), CompareOptions("all", "vanilla,dc3", 3))
    assert len(configs) == len(METHODS) * 2 * 3
    assert [config.runtime.seed for config in configs[:12]] == [0] * 12
    assert len({(c.method, c.variant, c.runtime.seed) for c in configs}) == len(configs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CompareOptions(methods="fixmatch,nomatch"), "nomatch is none of supervised"),
        (CompareOptions(variants=""), "--variants: nothing is none of"),
        (CompareOptions(seeds=0), "--seeds = 0"),
        (CompareOptions(sortings="network,fortune"), "--sortings: fortune is none of network, confidence"),
    ],
)
def test_unknown_names_are_refused(tiny: Callable[..., Config], options: CompareOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(tiny(), options)


def test_sortings_of_one_training_follow_each_other_and_the_papers_is_named_as_before(
    tiny: Callable[..., Config],
) -> None:
    config = tiny(sorting={"ambiguous_share": 0.3})
    configs = plan(config, CompareOptions("fixmatch", "vanilla,dc3", 1, sortings="network,confidence"))
    assert [_name(planned) for planned in configs] == [
        *("fixmatch vanilla seed 0", "fixmatch vanilla seed 0 by confidence"),
        *("fixmatch dc3 seed 0", "fixmatch dc3 seed 0 by confidence"),
    ]
    shares = [planned.sorting.ambiguous_share for planned in configs]
    assert shares == [None, 0.3] * 2, "the border is of the sorting that has one"
    (own,) = plan(tiny(sorting={"sorting": "confidence"}), CompareOptions("fixmatch", "dc3", 1))
    assert own.sorting == SortingOptions("confidence")


def test_baselines_are_measured_on_validation_images(tiny: Callable[..., Config]) -> None:
    parts = np.repeat(["labelled", "validation", "test"], 20)
    predictions = make_predictions([0.0] * 60)._replace(parts=parts)
    row = RunRow("fixmatch", "dc3", 0, "run", 0.5, 0.3, -0.2, 0.4, False, 0.6, 1.0)
    rows = [row._replace(variant="vanilla"), row, row._replace(sorting="confidence")]
    found = with_baseline(row, rows, tiny(), lambda run_id: predictions)
    expected = fair_baseline(predictions, 0.4, 0)
    assert (found.baseline_f1, found.baseline_d, found.baseline_auroc) == (expected.f1, expected.d, expected.auroc)
    assert fair_baseline(predictions, 0.4, 0, "test").f1 != expected.f1
    n_clusters = 3 * tiny().network.clusters_per_class
    flat = flat_baseline(predictions.part("validation"), 0.4, n_clusters, 0)
    assert (found.flat_d, found.flat_d_minus_f1, found.flat_right) == (flat.d, flat.d_minus_f1, flat.right)
    measured = with_baseline(row, rows, tiny(), lambda run_id: predictions.part("validation"))
    assert (measured.flat_d, measured.baseline_f1) == (flat.d, None), "nothing to fit a sorting on"
    for itself in (rows[0], rows[2], rows[0]._replace(sorting="confidence")):
        assert with_baseline(itself, rows, tiny(), lambda run_id: predictions) == itself


@pytest.mark.slow
def test_comparison_is_nested_tabulated_and_resumed(store: Path, tiny: Callable[..., Config]) -> None:
    config = tiny(loop={"steps": 12, "evaluate_every": 12}, dc3={"prior": 0.5})
    options = CompareOptions("supervised,fixmatch", "vanilla,dc3", 1, sortings="network,confidence")

    def interrupt(progress: str, row: RunRow) -> None:
        if progress.startswith("6/8"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        compare(config, options, on_run=interrupt)
    client = track.connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    parent = client.search_runs(experiments, "tags.`dc3.kind` = 'compare'")[0].info.run_id
    finished = track.finished_children(parent)
    assert len(finished) == 6
    longer = replace(config, loop=replace(config.loop, steps=6))
    with pytest.raises(InputError, match="is of another kind:\n- steps = 12, not 6\nGive the options"):
        compare(longer, options, resume=parent)
    others = replace(config, data=replace(config.data, size=20))
    with pytest.raises(InputError, match="size = 16, not 20"):
        compare(others, options, resume=parent)
    found = compare(config, options, resume=parent)
    rows = pd.read_csv(found.files / "runs.csv")
    assert len(rows) == 8
    assert rows["sorting"].tolist() == ["network", "confidence"] * 4
    by_network, by_confidence = rows[rows["sorting"] == "network"], rows[rows["sorting"] == "confidence"]
    assert by_network["seconds"].tolist() == by_confidence["seconds"].tolist(), "measured again, not trained again"
    assert not by_confidence["auroc"].isna().any(), "a vanilla run has an ambiguity, too"
    assert "sorted by" in found.text
    assert [track.has_file(run_id, "report.html") for run_id in rows["run_id"]].count(True) == 1
    best = client.get_run(parent).data.tags["dc3.best_run"]
    assert track.has_file(best, "report.html")
    assert set(rows["run_id"]) >= {run.run_id for run in finished.values()}
    based = rows[rows["baseline_f1"].notna()]
    assert set(zip(based["variant"], based["sorting"], strict=True)) <= {("dc3", "network")}
    assert "supervised" in found.text
    assert {path.name for path in found.files.iterdir()} >= {"table.txt", "table.csv", "table.md", "figure6.png"}
    logged = {file.path for file in client.list_artifacts(parent)}
    assert logged >= {"table.csv", "figure6.png"}
    with pytest.raises(InputError, match="never written again: the same `dc3 compare` without --resume"):
        compare(config, options, resume=parent)
