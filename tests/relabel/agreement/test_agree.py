"""`dc3 agree` from tables to report: what is measured, and what cannot be is named."""

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.verdicts import write_verdicts
from dc3.agree import CSV, PAGE, TEXT, main
from relabel.agreement.all_measures import measure_all
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.report import MEANINGS, format_interval, format_value
from relabel.agreement.report_row import Measure, MeasureOptions
from relabel.agreement.timing import take_times
from tests.relabel.agreement.players import answer, draw_votes, make_setting

SETTING = make_setting(300, 4, 0)


def measure(
    verdicts: pd.DataFrame, votes: pd.DataFrame | None = None, truth: pd.DataFrame | None = None
) -> list[Measure]:
    options = MeasureOptions(resamples=200)
    evidence = gather_evidence(verdicts, votes, truth)
    return list(measure_all(evidence, take_times(evidence, options), options))


def test_report_has_text_csv_and_a_page_that_needs_nothing_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (answer(SETTING, 0.3, 2, 2, seed) for seed in (1, 2))
    write_verdicts(first, tmp_path / "first.parquet")
    write_verdicts(second.assign(annotator="other " + second["annotator"], tool="label-studio"), tmp_path / "b.csv")
    draw_votes(SETTING, 10, 3).to_csv(tmp_path / "votes.csv", index=False)
    output = tmp_path / "report"
    tables = [str(tmp_path / name) for name in ("first.parquet", "b.csv")]
    assert main([*tables, "--votes", str(tmp_path / "votes.csv"), "--output", str(output), "--resamples", "200"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith((output / TEXT).read_text().rstrip())
    assert "SIMULATION" not in printed
    table = pd.read_csv(output / CSV)
    assert list(table.columns) == list(Measure._fields)
    measured = table[table["value"].notna()]
    assert (measured["images"] > 0).all()
    assert (measured["answers"] > 0).all()
    assert measured["low"].le(measured["high"]).all()
    assert table.loc[table["value"].isna(), "note"].str.len().gt(20).all()
    page = (output / PAGE).read_text()
    assert page.count("data:image/png;base64,") == 4
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert {path.name for path in output.glob("*.png")} == {"agreement.png", "time.png", "confusion.png", "bias.png"}
    assert set(table["section"]) == set(MEANINGS)


def test_simulated_answers_are_called_a_simulation_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_verdicts(answer(SETTING, 0.3, 2, 1, 0).assign(tool="simulation"), tmp_path / "v.csv")
    main([str(tmp_path / "v.csv"), "-o", str(tmp_path / "out"), "--resamples", "200"])
    assert "SIMULATION" in capsys.readouterr().out
    assert "SIMULATION" in (tmp_path / "out" / PAGE).read_text()


@pytest.mark.parametrize(
    ("verdicts", "section", "needed"),
    [
        (answer(SETTING, 0.3, 1, 1, 0), "Between annotators", "at least two"),
        (answer(SETTING, 0.3, 2, 1, 0), "Within annotators", "again in a later round"),
        (answer(SETTING._replace(is_control=np.zeros(300, bool)), 0.3, 2, 1, 0), "Time per label", "arm control"),
        (answer(SETTING, 0.3, 2, 1, 0).assign(seconds=np.nan), "Time per label", "no times"),
        (answer(SETTING, 0.3, 2, 1, 0), "Right and wrong answers", "--truth"),
        (answer(SETTING._replace(is_control=np.ones(300, bool)), 0.3, 2, 1, 0), "Proposals shown", "dc3 propose"),
    ],
)
def test_what_cannot_be_measured_says_what_it_needs(verdicts: pd.DataFrame, section: str, needed: str) -> None:
    measures = measure(verdicts)
    notes = [one.note for one in measures if one.section == section and one.is_missing]
    assert notes
    assert any(needed in note for note in notes), notes
    assert all(one.note for one in measures if one.is_missing or np.isnan(one.low))


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_few_answers_are_no_crash(n_rows: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_verdicts(answer(SETTING, 0.3, 1, 1, 0).head(n_rows), tmp_path / "v.parquet")
    assert main([str(tmp_path / "v.parquet"), "-o", str(tmp_path / "out")]) == 0
    assert "at least two" in capsys.readouterr().out


def test_only_answers_without_label_are_no_crash() -> None:
    skipped = answer(SETTING, 0.3, 1, 1, 0).assign(outcome="skipped", label="")
    assert all(one.is_missing for one in measure(skipped) if one.section != "Proposals shown")


def test_votes_and_truth_of_other_images_or_one_class_are_no_crash() -> None:
    verdicts = answer(SETTING, 0.3, 2, 1, 0)
    other = pd.DataFrame({"image": ["elsewhere.png"], "label": ["class 1"]})
    assert any("no image with a proposal has the truth table" in one.note for one in measure(verdicts, truth=other))
    single = pd.DataFrame({"image": ["1.png"] * 3, "label": ["class 1"] * 3})
    assert len(measure(verdicts, votes=single)) > 20
    assert gather_evidence(verdicts, single.assign(votes=[1, 4, 7])).votes.sum() == 12


def test_names_of_annotators_and_classes_do_not_matter() -> None:
    verdicts = answer(SETTING, 0.3, 3, 2, 0)
    names = {f"class {number}": name for number, name in enumerate(["z", "b", "y", "a"])}
    people = {f"person {number}": name for number, name in enumerate(["Zoe", "Ann", "Max"])}
    renamed = verdicts.replace({"label": names, "proposal": names, "annotator": people})
    scopes = ("all", "proposal", "control", "proposal - control")
    first, second = (
        {(one.section, one.name, one.scope): one.value for one in measure(table) if one.scope in scopes}
        for table in (verdicts, renamed)
    )
    assert first.keys() == second.keys()
    np.testing.assert_allclose(list(first.values()), list(second.values()))


def test_same_seed_gives_the_same_report() -> None:
    verdicts = answer(SETTING, 0.3, 2, 2, 0)
    first, second = (pd.DataFrame(measure(table)) for table in (verdicts, verdicts.sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(first, second)


def test_faults_of_the_command_are_named(tmp_path: Path) -> None:
    write_verdicts(answer(SETTING, 0.3, 1, 1, 0).head(0), tmp_path / "empty.csv")
    with pytest.raises(InputError, match="No answers to measure"):
        main([str(tmp_path / "empty.csv"), "-o", str(tmp_path / "out")])
    with pytest.raises(InputError, match=r"--resamples must be at least 200.*; --cap-seconds"):
        main([str(tmp_path / "empty.csv"), "--resamples", "5", "--cap-seconds", "-1"])
    with pytest.raises(InputError, match="raw votes given: 0"):
        main([])
    assert not (tmp_path / "out").exists()


def test_numbers_are_written_with_their_unit() -> None:
    one = Measure("s", "n", "all", 12.345, -0.04, 20.0, "%", 10, 0, 10)
    assert format_value(one) == "12.3 %"
    assert format_interval(one) == "0.0 to 20.0"
    assert format_value(one._replace(value=0.5, unit="")) == "0.500"
    assert format_interval(one._replace(low=np.nan)) == "-"


def measuring_s(n_images: int) -> float:
    """CPU time of all measures on eight answers an image."""
    setting = make_setting(n_images, 10, 0)
    verdicts, votes = answer(setting, 0.2, 8, 1, 0), draw_votes(setting, 8, 1)
    options, start = MeasureOptions(resamples=200), time.process_time()
    evidence = gather_evidence(verdicts, votes)
    measures = list(measure_all(evidence, take_times(evidence, options), options))
    assert not next(one for one in measures if one.name == "Cohen's kappa").is_missing
    return time.process_time() - start


@pytest.mark.slow
def test_ten_times_the_images_take_no_more_than_ten_times_as_long() -> None:
    """Four times were measured; what grows with the square would take a hundred. 10,000 images of 50 answers: 40 s."""
    measuring_s(20)  # what is imported at first use
    few = measuring_s(1000)
    assert measuring_s(10_000) < 10 * few
