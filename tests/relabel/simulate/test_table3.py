from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from data.errors import InputError
from data.verdicts import votes_of
from relabel.simulate.annotators import AnnotatorModel, TimeModel
from relabel.simulate.play import PlayOptions, play, read_truth
from relabel.simulate.table3 import Row, compare_proposals, format_table, keep_images, summarise
from tests.relabel.simulate.folder import make_votes, write_folder


def _rows(tmp_path: Path, options: PlayOptions, seed: int = 0) -> list[Row]:
    bundles = {
        "ssl": write_folder(tmp_path / f"ssl {seed}", clustered=False),
        "dc3": write_folder(tmp_path / f"dc3 {seed}"),
    }
    return list(compare_proposals(bundles, make_votes(), options, seed))


def _find(rows: list[Row], annotator: str, proposals: str) -> Row:
    return next(row for row in rows if (row.annotator, row.proposals) == (annotator, proposals))


def test_three_columns_with_every_annotator(tmp_path: Path) -> None:
    rows = _rows(tmp_path, PlayOptions(annotators=2, repetitions=3))
    assert [row.proposals for row in rows] == ["none"] * 4 + ["ssl"] * 4 + ["dc3"] * 4
    assert [row.annotator for row in rows[:4]] == ["simulated 1", "simulated 2", "all", "between"]
    assert {row.kind for row in rows} == {"simulation"}
    assert {row.images for row in rows} == {60}


def test_minutes_follow_the_cost_model(tmp_path: Path) -> None:
    rows = _rows(tmp_path, PlayOptions(annotators=1, times=TimeModel(spread=0)))
    free = 60 * 1.9 / 60
    assert _find(rows, "all", "none").minutes_mean == pytest.approx(free)
    assert _find(rows, "all", "ssl").minutes_mean == pytest.approx(0.4 * free)
    assert 0 < _find(rows, "all", "dc3").minutes_mean < free


def test_the_time_of_what_was_taken_out_of_a_cluster_counts(tmp_path: Path) -> None:
    bundle = write_folder(tmp_path / "dc3")
    truth = read_truth(bundle, make_votes())
    verdicts = play(bundle, truth, PlayOptions(1, 1, times=TimeModel(spread=0)), np.random.default_rng(0))
    excluded = verdicts[verdicts["outcome"] == "excluded"]
    assert len(excluded), "some suspects are taken out"
    row = next(summarise("dc3", verdicts, bundle, truth))
    # a check for each of 27 certain images, the cluster, and each image judged alone: control arm, mixed, again
    alone = 3 + 1 + 2 + 9 + len(excluded)
    seconds = (27 * 0.4 + (0.4 + 17 * 0.2) + alone) * 1.9
    assert row.minutes_mean == pytest.approx(seconds / 60)


def test_kappa_is_that_of_scikit_learn_over_the_repetitions(tmp_path: Path) -> None:
    bundle = write_folder(tmp_path / "dc3")
    truth = read_truth(bundle, make_votes())
    verdicts = play(bundle, truth, PlayOptions(1, 2), np.random.default_rng(0))
    labels = votes_of(verdicts).pivot(index="image", columns="round", values="label")
    row = next(summarise("dc3", verdicts, bundle, truth))
    assert row.kappa_mean == pytest.approx(100 * cohen_kappa_score(labels[2], labels[3]))
    assert np.isnan(row.kappa_std), "two repetitions are one pair"


def test_blind_acceptance_is_consistent_and_wrong(tmp_path: Path) -> None:
    believer = PlayOptions(2, 2, AnnotatorModel(d=0.98))
    rows = _rows(tmp_path, believer)
    none, ssl = _find(rows, "all", "none"), _find(rows, "all", "ssl")
    assert ssl.kappa_mean > none.kappa_mean
    assert ssl.kl > none.kl + 1


def test_one_repetition_has_no_kappa_and_says_so(tmp_path: Path) -> None:
    rows = _rows(tmp_path, PlayOptions(annotators=2, repetitions=1))
    assert np.isnan(_find(rows, "simulated 1", "none").kappa_mean)
    assert _find(rows, "between", "none").kappa_mean > 0
    assert "nan" not in format_table(rows)


def test_the_text_calls_itself_a_simulation(tmp_path: Path) -> None:
    text = format_table(_rows(tmp_path, PlayOptions()))
    assert text.startswith("SIMULATION of Table 3")
    assert text.splitlines()[-1] == "simulation"


def test_only_shared_images_are_compared(tmp_path: Path) -> None:
    whole = write_folder(tmp_path / "dc3")
    half = keep_images(write_folder(tmp_path / "ssl", clustered=False), {f"{row:02}.png" for row in range(30, 60)})
    rows = list(compare_proposals({"ssl": half, "dc3": whole}, make_votes(), PlayOptions()))
    assert {row.images for row in rows} == {30}
    with pytest.raises(InputError, match="share no image"):
        next(compare_proposals({"ssl": keep_images(half, set()), "dc3": whole}, make_votes(), PlayOptions()))


def test_the_same_seed_gives_the_same_table(tmp_path: Path) -> None:
    first = _rows(tmp_path / "a", PlayOptions(), 3)
    assert pd.DataFrame(first).equals(pd.DataFrame(_rows(tmp_path / "b", PlayOptions(), 3)))
