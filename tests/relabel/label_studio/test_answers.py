"""Exported annotations of every odd kind, in the shapes of Label Studio 1.23.2: what people gave is what counts."""

import copy
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.proposals import ClusterRow, Origin, Proposal, ProposalFolder, fill_offered
from data.verdicts import Verdict, to_table
from relabel.label_studio.answers import Answers, read_answers
from relabel.label_studio.projects import Kind

PEOPLE = {1: "ada@example.org", 2: "bob@example.org"}
EARLY, LATER, LAST = (f"2026-01-05T1{hour}:00:00.250000Z" for hour in range(3))
_ids = count(100)


@pytest.fixture
def bundle() -> ProposalFolder:
    """Two certain images, and a cluster of two."""
    rows = [Proposal(f"{n}", f"{n}.png", "test", "proposal", "class", "cat", 0.9, "", n, *PLACE) for n in range(2)]
    rows += [Proposal(f"{n}", f"{n}.png", "test", "proposal", "cluster", "dog", 0.6, "7", n, *PLACE) for n in (2, 3)]
    clusters = pd.DataFrame([ClusterRow("7", "cat or dog", "dog", 2, 1.0)])
    proposals = fill_offered(pd.DataFrame(rows), clusters)
    return ProposalFolder(Path("nowhere"), Origin("run", ("cat", "dog"), 1, 0.0, 0), proposals, clusters)


PLACE = (False, 0.2, 1.0, 0.0, 0.0)


def chosen(control: str, *choices: str) -> dict[str, Any]:
    """One control's part of an annotation; without choices as Label Studio keeps one that was emptied."""
    return {"from_name": control, "to_name": "image", "type": "choices", "value": {"choices": list(choices)}}


def annotate(by: object, *labels: str, at: str = EARLY, control: str = "label", **values: object) -> dict[str, Any]:
    """An annotation of one class; `values` replace its fields."""
    made = {"id": next(_ids), "completed_by": by, "lead_time": 2.5, "was_cancelled": False, "parent_prediction": None}
    return made | {"created_at": at, "updated_at": at, "result": [chosen(control, *labels)]} | values


def task(number: int, *annotations: dict[str, Any], image: str = "0") -> dict[str, Any]:
    """A task of a single image."""
    data = {"dc3_id": image, "image": f"/data/local-files/?d={image}.png", "proposal": "cat"}
    return {"id": number, "data": data, "annotations": list(annotations)}


def cluster(number: int, *annotations: dict[str, Any]) -> dict[str, Any]:
    """The task of the cluster."""
    members = [{"value": name, "html": f'<img src="{name}.png"/>'} for name in ("2", "3")]
    data = {"dc3_id": "7", "members": members, "proposal": "dog", "summary": "Cluster 7"}
    return {"id": number, "data": data, "annotations": list(annotations)}


def read(bundle: ProposalFolder, *tasks: dict[str, Any], kind: Kind = "single") -> Answers:
    """What is read of tasks; it makes a verdict table, or the pull would stop."""
    found = read_answers(copy.deepcopy(tasks), PEOPLE, bundle, kind)
    to_table(found.verdicts)
    return found


def labels(found: Answers) -> list[tuple[str, str]]:
    """Annotator and label of each verdict."""
    return [(verdict.annotator, verdict.label) for verdict in found.verdicts]


def test_an_emptied_choice_is_no_answer_and_takes_no_other_down(bundle: ProposalFolder) -> None:
    empty, missing = annotate(1), annotate(1, result=[chosen("label") | {"value": {}}])
    nothing = annotate(1, result=None)
    found = read(bundle, task(1, empty, missing, nothing, annotate(2, "dog")))
    assert labels(found) == [("bob@example.org", "dog")]
    assert found.left_out == ["task 1 (0) by ada@example.org: submitted without a class"] * 3
    assert found.faults == []


def test_emptied_outliers_exclude_nothing(bundle: ProposalFolder) -> None:
    answer = annotate(1, "dog", result=[chosen("cluster_label", "dog"), chosen("outliers")])
    found = read(bundle, cluster(1, answer), kind="clusters")
    assert [verdict.outcome for verdict in found.verdicts] == ["accepted", "accepted"]
    assert found.queued == frozenset()


@pytest.mark.parametrize("time", [{}, {"lead_time": None}, {"lead_time": -3.0}, {"lead_time": float("inf")}])
def test_an_answer_without_a_time_that_a_clock_measured_has_none(
    bundle: ProposalFolder, time: dict[str, object]
) -> None:
    answer = annotate(1, "dog") | time
    if not time:
        del answer["lead_time"]
    (verdict,) = read(bundle, task(1, answer)).verdicts
    assert (verdict.label, verdict.outcome) == ("dog", "bulk")
    assert verdict.seconds != verdict.seconds


def test_two_deleted_users_are_two_people(bundle: ProposalFolder) -> None:
    first, second = annotate(None, "cat"), annotate(None, "dog", at=LATER)
    found = read(bundle, task(1, first, second, annotate(1, "cat")), task(2, annotate(None, "dog"), image="1"))
    assert [verdict.label for verdict in found.verdicts] == ["cat", "dog", "cat", "dog"]
    assert len({verdict.annotator for verdict in found.verdicts}) == 4
    assert found.verdicts[0].annotator == f"deleted user (annotation {first['id']})"
    assert found.left_out == []


@pytest.mark.parametrize("user", [1, {"id": 1, "email": "ada@example.org"}, {"id": 1}])
def test_one_person_has_one_name_however_the_export_calls_him(bundle: ProposalFolder, user: object) -> None:
    assert labels(read(bundle, task(1, annotate(user, "cat")))) == [("ada@example.org", "cat")]


def test_a_user_who_left_the_organisation_keeps_his_own_name(bundle: ProposalFolder) -> None:
    found = read(bundle, task(1, annotate(8, "cat"), annotate({"id": 9, "email": "eve@example.org"}, "dog")))
    assert labels(found) == [("user 8", "cat"), ("eve@example.org", "dog")]


def test_tasks_that_are_listed_twice_count_once(bundle: ProposalFolder) -> None:
    listed = [task(n + 1, annotate(1, "cat"), annotate(2, "dog"), image=f"{n}") for n in range(2)]
    once, twice = read(bundle, *listed), read(bundle, *listed, *listed)
    assert len(once.verdicts) == 4
    assert twice == once


def test_of_two_listings_of_an_annotation_the_later_one_counts(bundle: ProposalFolder) -> None:
    old = annotate(1, "cat")
    new = old | {"updated_at": LATER, "result": [chosen("label", "dog")]}
    added = annotate(2, "cat")
    for listings in ([task(1, old), task(1, new, added)], [task(1, new, added), task(1, old)]):
        found = read(bundle, *listings)
        assert labels(found) == [("ada@example.org", "dog"), ("bob@example.org", "cat")]
        assert found.left_out == []


def test_copies_of_a_task_give_a_person_one_answer(bundle: ProposalFolder) -> None:
    found = read(bundle, task(1, annotate(1, "cat", at=LATER)), task(2, annotate(1, "dog"), annotate(2, "dog")))
    assert labels(found) == [("ada@example.org", "cat"), ("bob@example.org", "dog")]
    assert found.left_out == ["task 2 (0) by ada@example.org: answered again, the last one counts"]


def test_an_older_annotation_that_was_edited_last_counts(bundle: ProposalFolder) -> None:
    edited = annotate(1, "dog", at=EARLY, updated_at=LAST)
    found = read(bundle, task(1, edited, annotate(1, "cat", at=LATER)))
    assert labels(found) == [("ada@example.org", "dog")]
    assert found.verdicts[0].at == "2026-01-05T12:00:00.250000+00:00", "merge goes by it"
    assert len(found.left_out) == 1


def test_an_answer_stays_when_its_giver_submits_an_empty_page_later(bundle: ProposalFolder) -> None:
    found = read(bundle, task(1, annotate(1, "dog"), annotate(1, at=LATER)))
    assert labels(found) == [("ada@example.org", "dog")]
    assert found.left_out == ["task 1 (0) by ada@example.org: submitted without a class"]


def test_without_a_time_of_editing_the_time_of_making_counts(bundle: ProposalFolder) -> None:
    older, newer = annotate(1, "dog", at=LATER), annotate(1, "cat", at=EARLY)
    for answer in (older, newer):
        del answer["updated_at"]
    assert labels(read(bundle, task(1, older, newer))) == [("ada@example.org", "dog")]


def test_an_answer_taken_back_by_a_skip_is_a_skip(bundle: ProposalFolder) -> None:
    skip = annotate(1, "cat", at=LATER, was_cancelled=True)
    (verdict,) = read(bundle, task(1, annotate(1, "cat"), skip)).verdicts
    assert (verdict.outcome, verdict.label) == ("skipped", "")


def test_two_classes_at_once_are_a_fault_and_no_answer(bundle: ProposalFolder) -> None:
    found = read(bundle, task(1, annotate(1, "cat", "dog")), task(2, annotate(2, "cat"), image="1"))
    assert labels(found) == [("bob@example.org", "cat")]
    assert found.faults == ["task 1 (0) by ada@example.org: 2 classes at once (cat, dog)"]


def test_mixed_is_an_answer_to_clusters_and_no_class_of_an_image(bundle: ProposalFolder) -> None:
    answer = annotate(1, "mixed", control="cluster_label")
    found = read(bundle, cluster(1, answer), kind="clusters")
    assert {(verdict.outcome, verdict.label) for verdict in found.verdicts} == {("skipped", "")}
    assert found.queued == {"2", "3"}
    single = read(bundle, task(1, annotate(1, "mixed")))
    assert (single.verdicts, single.faults) == ([], ["task 1 (0) by ada@example.org: mixed"])


@pytest.mark.parametrize("data", [{"image": "/data/upload/3/8f2e41aa-0000.jpg"}, {"members": ["2"]}, {"members": "2"}])
def test_tasks_of_others_are_left_out_with_their_number(bundle: ProposalFolder, data: dict[str, object]) -> None:
    foreign = {"id": 5, "data": data, "annotations": [annotate(1, "cat")]}
    for kind in ("single", "clusters"):
        found = read(bundle, foreign, kind=kind)  # type: ignore[arg-type]
        assert found == Answers([], frozenset(), ["task 5 is not one of these proposals: 1 answer(s)"], [])


def test_a_verdict_has_all_that_its_table_wants(bundle: ProposalFolder) -> None:
    (verdict,) = read(bundle, task(1, annotate(1, "dog"))).verdicts
    shown = ("image", "", "proposal", "cat", "run", "changed")
    at = "2026-01-05T10:00:00.250000+00:00"
    assert verdict == Verdict("0", "ada@example.org", "dog", 2.5, at, 1, "label-studio", *shown, offered="cat")
