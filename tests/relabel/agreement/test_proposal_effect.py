"""Acceptance, harm and help, counted by hand and found in known answers."""

import pandas as pd
import pytest

from data.verdicts import Verdict, to_table
from relabel.agreement.bootstrap import Draws
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.proposal_effect import measure_effect, measure_outcomes
from relabel.agreement.report_row import Measure
from tests.relabel.agreement.players import answer, draw_votes, make_setting

AT = "2026-01-05T09:00:00+00:00"


def verdict(image: str, label: str, proposal: str, outcome: str, **changes: object) -> Verdict:
    arm = changes.pop("arm", "proposal")
    row = Verdict(image, "a", label, 1.0, AT, 1, "review", "image", "", arm, proposal, "run", outcome)  # type: ignore[arg-type]
    return row._replace(**changes)  # type: ignore[arg-type]


def by_name(measures: list[Measure]) -> dict[tuple[str, str], Measure]:
    return {(one.name, one.scope): one for one in measures}


def test_outcomes_are_shares_of_the_answers_to_a_proposal() -> None:
    verdicts = [
        verdict("1", "x", "x", "accepted"),
        verdict("2", "y", "x", "changed"),
        verdict("3", "", "x", "excluded", unit="cluster", cluster="1"),
        verdict("3", "y", "", "manual"),
        verdict("4", "x", "x", "accepted", unit="cluster", cluster="1"),
        verdict("5", "x", "x", "manual", arm="control"),
    ]
    found = by_name(list(measure_outcomes(gather_evidence(to_table(verdicts)), Draws(5, 200, 0))))
    assert found["accepted", "proposal"].value == pytest.approx(50)
    assert found["changed", "proposal"].value == pytest.approx(25)
    assert found["excluded", "proposal"].value == pytest.approx(25)
    assert found["accepted", "clusters"].answers == 2
    assert "at least 10" in found["accepted", "proposal"].note


def test_harm_and_help_by_hand() -> None:
    truth = pd.DataFrame({"image": ["1", "2", "3", "4", "5"], "label": ["x", "x", "y", "x", "y"]})
    verdicts = [
        verdict("1", "y", "y", "accepted"),  # wrong proposal, believed
        verdict("2", "x", "y", "changed"),  # wrong proposal, seen
        verdict("3", "y", "y", "accepted"),  # right
        verdict("4", "x", "y", "manual", arm="control"),  # would have been wrong: answered rightly
        verdict("5", "x", "y", "manual", arm="control"),  # would have been right: answered wrongly
        verdict("1", "x", "y", "manual", arm="control", round=2),  # right without the proposal that led astray
    ]
    evidence = gather_evidence(to_table(verdicts), truth=truth)
    found = by_name(list(measure_effect(evidence, Draws(5, 200, 0))))
    assert found["harm rate", "proposal"].value == pytest.approx(100 - 50)
    assert found["help rate", "proposal"].value == pytest.approx(100 - 0)
    assert found["wrong proposals accepted", "proposal"].value == pytest.approx(50)
    overturned = found["right answers overturned", "same annotator, same image"]
    assert (overturned.value, overturned.pairs) == (100, 1)


def test_image_taken_out_of_its_cluster_stays_with_the_proposal_it_was_shown_with() -> None:
    truth = pd.DataFrame({"image": ["1", "2"], "label": ["x", "x"]})
    verdicts = [
        verdict("1", "", "y", "excluded", unit="cluster", cluster="1"),
        verdict("1", "x", "", "manual"),
        verdict("2", "x", "y", "manual", arm="control"),
    ]
    found = by_name(list(measure_effect(gather_evidence(to_table(verdicts), truth=truth), Draws(2, 200, 0))))
    assert found["right answers", "proposal"].value == pytest.approx(100)
    assert found["harm rate", "proposal"].value == pytest.approx(0)


def test_annotators_who_follow_are_harmed_and_those_who_do_not_are_not() -> None:
    setting = make_setting(800, 4, 0, right=0.6, control=0.3)
    votes = draw_votes(setting, 30, 9)
    rates = {}
    for d in (0.0, 0.6):
        evidence = gather_evidence(answer(setting, d, 3, 1, 1), votes)
        rates[d] = by_name(list(measure_effect(evidence, Draws(800, 200, 0))))["harm rate", "proposal"]
    assert rates[0.6].low > 20
    assert rates[0.0].low < 2 < rates[0.6].value
    assert rates[0.0].value < 10


def test_without_truth_the_reason_names_the_options() -> None:
    found = list(measure_effect(gather_evidence(answer(make_setting(30, 3, 0), 0.2, 1, 1, 0)), Draws(30, 200, 0)))
    assert all(one.is_missing for one in found)
    assert all("--truth" in one.note and "--votes" in one.note for one in found)
