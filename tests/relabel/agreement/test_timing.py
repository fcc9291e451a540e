"""Time per label: idle, sessions, clusters, and the ratio of the arms."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from data.verdicts import Verdict, to_table
from relabel.agreement.bootstrap import Draws
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.report_row import MeasureOptions
from relabel.agreement.timing import COST, MEDIAN, RATIO, TRIMMED, Times, measure_times, take_times
from tests.relabel.agreement.players import answer, make_setting

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def verdict(image: str, seconds: float, minute: float, **changes: object) -> Verdict:
    """An answer without proposal, `minute` minutes after the start."""
    at = (START + timedelta(minutes=minute)).isoformat()
    row = Verdict(image, "a", "x", seconds, at, 1, "review", "image", "", "proposal", "", "run", "manual")
    return row._replace(**changes)  # type: ignore[arg-type]


def times_of(verdicts: list[Verdict], **options: float) -> Times:
    return take_times(gather_evidence(to_table(verdicts)), MeasureOptions(**options))  # type: ignore[arg-type]


def test_first_task_of_each_session_is_left_out() -> None:
    verdicts = [verdict(f"{n}", 10 + n, minute) for n, minute in enumerate((0, 1, 2, 60, 61))]
    times = times_of(verdicts)
    assert times.n_first == 2
    assert sorted(times.seconds) == [11, 12, 14]
    assert times_of(verdicts, session_minutes=120).n_first == 1


def test_a_long_task_is_no_pause() -> None:
    verdicts = [verdict("0", 1, 0), verdict("1", 45 * 60, 45.5), verdict("2", 1, 46)]
    assert times_of(verdicts).n_first == 1


def test_idle_is_cut_at_the_cap() -> None:
    verdicts = [verdict(f"{n}", 2, n / 10) for n in range(40)] + [verdict("idle", 3600, 64)]
    times = times_of(verdicts)
    assert times.caps["image"] == pytest.approx(6)
    assert times.seconds.max() == pytest.approx(6)
    assert times.is_capped.sum() == 1
    assert times_of(verdicts, cap_seconds=100).seconds.max() == pytest.approx(100)


def test_clusters_and_single_images_have_a_cap_each() -> None:
    singles = [verdict(f"{n}", 2, n / 10) for n in range(40)]
    clusters = [
        verdict(f"m{n}", 50 + n, 10 + n, unit="cluster", cluster=f"{n}", proposal="x", outcome="accepted")
        for n in range(10)
    ]
    times = times_of([*singles, *clusters, verdict("idle", 30, 21)])
    assert times.caps == {"image": pytest.approx(3 * 2), "cluster": pytest.approx(3 * 58.1)}
    assert times.is_capped.sum() == 1, "the single image of 30 s, and no cluster"
    assert times.seconds.max() == pytest.approx(59)


def test_cluster_is_one_task_shared_by_its_members() -> None:
    members = [verdict(f"{n}", 5, 1, unit="cluster", cluster="7", proposal="x", outcome="accepted") for n in range(10)]
    times = times_of([verdict("first", 1, 0), *members], cap_seconds=20)
    assert times.is_capped.all()
    np.testing.assert_allclose(times.seconds, 2)


def test_time_in_the_cluster_counts_for_an_image_taken_out_of_it() -> None:
    out = verdict("b", 3, 1, unit="cluster", cluster="7", proposal="x", outcome="excluded", label="")
    unsure = verdict("c", 3, 1, unit="cluster", cluster="7", proposal="x", outcome="excluded", label="")
    times = times_of([verdict("a", 1, 0), out, unsure, verdict("b", 4, 2)])
    assert times.is_labelled.tolist() == [True, False]
    np.testing.assert_allclose(times.seconds, [7, 3])
    found = {one.name: one for one in measure_times(times, Draws(3, 200, 0)) if one.scope == "proposal"}
    assert found[MEDIAN].value == pytest.approx(7)
    assert found[COST].value == pytest.approx(10)


def test_ratio_of_the_arms_is_found_with_its_interval() -> None:
    setting = make_setting(500, 4, 0)
    evidence = gather_evidence(answer(setting, 0.2, 2, 1, 1, seconds=(2.0, 5.0)))
    options = MeasureOptions()
    measures = list(measure_times(take_times(evidence, options), evidence.draws(options)))
    ratios = {one.name: one for one in measures if one.scope == RATIO}
    for name in (MEDIAN, TRIMMED, COST):
        assert ratios[name].low <= 2.5 <= ratios[name].high
        assert ratios[name].high - ratios[name].low < 0.6


def test_no_times_and_no_control_arm_are_named() -> None:
    times = times_of([verdict("0", float("nan"), 0), verdict("1", float("nan"), 1)])
    assert times.n_untimed == 2
    found = list(measure_times(times, Draws(2, 200, 0)))
    assert all(one.is_missing for one in found)
    assert all("no times" in one.note for one in found)
    times = times_of([verdict("0", 1, 0), verdict("1", 1, 1)])
    lost = [one for one in measure_times(times, Draws(2, 200, 0)) if one.is_missing]
    assert {one.scope for one in lost} == {"control", RATIO}
    assert all("control" in one.note for one in lost)
