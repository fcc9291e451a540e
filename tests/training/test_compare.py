"""`compare`: one run a combination, one table, and it goes on after an interruption."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from training import track
from training.compare import CompareOptions, compare, plan
from training.config import Config
from training.errors import InputError
from training.report.compare import RunRow


def test_plan_has_every_combination_with_seeds_outermost(tiny: Callable[..., Config]) -> None:
    configs = plan(tiny(), CompareOptions("all", "vanilla,dc3", 3))
    assert len(configs) == 36
    assert [config.runtime.seed for config in configs[:12]] == [0] * 12
    assert len({(c.method, c.variant, c.runtime.seed) for c in configs}) == 36


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CompareOptions(methods="fixmatch,nomatch"), "nomatch is none of supervised"),
        (CompareOptions(variants=""), "--variants: nothing is none of"),
        (CompareOptions(seeds=0), "--seeds = 0"),
    ],
)
def test_unknown_names_are_refused(tiny: Callable[..., Config], options: CompareOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(tiny(), options)


@pytest.mark.slow
def test_comparison_is_nested_tabulated_and_resumed(store: Path, tiny: Callable[..., Config]) -> None:
    config = tiny(loop={"steps": 12, "evaluate_every": 12}, dc3={"prior": 0.5})
    options = CompareOptions("supervised,fixmatch", "vanilla,dc3", 1)

    def interrupt(progress: str, row: RunRow) -> None:
        if progress.startswith("3/4"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        compare(config, options, on_run=interrupt)
    client = track.connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    parent = client.search_runs(experiments, "tags.`dc3.kind` = 'compare'")[0].info.run_id
    finished = track.finished_children(parent)
    assert len(finished) == 3
    found = compare(config, options, resume=parent)
    rows = pd.read_csv(found.files / "runs.csv")
    assert len(rows) == 4
    assert set(rows["run_id"]) >= {run.run_id for run in finished.values()}
    assert rows.set_index(["method", "variant"]).loc[("fixmatch", "vanilla"), "baseline_f1"] != 0
    assert "supervised" in found.text
    assert {path.name for path in found.files.iterdir()} >= {"table.txt", "table.csv", "table.md", "figure6.png"}
    logged = {file.path for file in client.list_artifacts(parent)}
    assert logged >= {"table.csv", "figure6.png"}
