"""Answers of two people back from a real Label Studio."""

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import CLUSTERS, ProposalFolder
from data.verdicts import read_verdicts
from dc3.__main__ import main
from relabel.label_studio.client import Client
from relabel.label_studio.people import sign_up
from relabel.label_studio.projects import Kind, find_projects
from relabel.label_studio.pull import pull
from tests.relabel.label_studio.bundles import CLASSES, N_CERTAIN
from tests.relabel.label_studio.conftest import MakeBundle
from tests.relabel.label_studio.server import PASSWORD, Person, Server
from tests.relabel.label_studio.test_push import list_tasks, names_of, run_push

pytestmark = pytest.mark.slow

Annotators = tuple[Person, Person]


def find_tasks(client: Client, bundle: ProposalFolder, kind: Kind) -> dict[str, dict]:
    """Tasks of a project by their name."""
    return {task["data"]["dc3_id"]: task for task in list_tasks(client, find_projects(client, bundle)[kind])}


def choose(control: str, *choices: str) -> dict:
    """One control's part of an answer, as a program sends it."""
    target = "image" if control == "label" else "anchor"
    return {"from_name": control, "to_name": target, "type": "choices", "value": {"choices": list(choices)}}


def answer(person: Person, task: dict, *results: dict, seconds: float | None = 3.0, skip: bool = False) -> int:
    """An annotation by the API, as the person; its number."""
    body = {"result": list(results), "lead_time": seconds, "was_cancelled": skip}
    response = person.session.post(f"/api/tasks/{task['id']}/annotations/", json=body)
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def of(table: pd.DataFrame, image: str, person: Person) -> pd.Series:
    """The one verdict of a person on an image."""
    rows = table[(table["image"] == image) & (table["annotator"] == person.email)]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def accept_all(client: Client, bundle: ProposalFolder, kind: Kind, *names: str) -> None:
    """The data manager's 'create annotations from predictions'."""
    tasks = find_tasks(client, bundle, kind)
    project = find_projects(client, bundle)[kind].id
    selected = {"selectedItems": {"all": False, "included": [tasks[name]["id"] for name in names]}}
    client.post("/api/dm/actions", selected, id="predictions_to_annotations", project=project)


def test_single_images_keep_what_was_shown_and_chosen(
    client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle, (ada, bob) = new_bundle(), annotators
    run_push(client, bundle, overlap=2)
    tasks = find_tasks(client, bundle, "single")
    first, second, third, fourth = bundle.proposals["image"][:4]
    proposed = bundle.proposals.set_index("image")["proposal"]
    queued = bundle.proposals["image"][bundle.proposals["cluster"] == "7"].iloc[0]
    answer(ada, tasks[first], choose("label", proposed[first]), seconds=2.5)
    answer(bob, tasks[first], choose("label", CLASSES[2]))
    answer(ada, tasks[second], seconds=1.0, skip=True)
    # A browser whose page showed nothing says so.
    answer(ada, tasks[third], choose("label", proposed[third]) | {"origin": "manual"})
    answer(bob, tasks[queued], choose("label", "dog"))
    accept_all(client, bundle, "single", fourth)
    table = pull(client, bundle).verdicts
    accepted = of(table, first, ada)
    assert (accepted["outcome"], accepted["label"], accepted["proposal"]) == ("accepted", *[proposed[first]] * 2)
    assert (accepted["seconds"], accepted["unit"], accepted["arm"], accepted["tool"]) == (
        *(2.5, "image", "proposal"),
        "label-studio",
    )
    assert (accepted["round"], accepted["model_version"]) == (bundle.about.round, bundle.about.model_version)
    changed = of(table, first, bob)
    assert (changed["outcome"], changed["label"], changed["proposal"]) == ("changed", CLASSES[2], proposed[first])
    skipped = of(table, second, ada)
    assert (skipped["outcome"], skipped["label"], skipped["seconds"]) == ("skipped", "", 1.0)
    unseen = of(table, third, ada)
    assert (unseen["outcome"], unseen["label"], unseen["proposal"]) == ("manual", proposed[third], "")
    alone = of(table, queued, bob)
    assert (alone["outcome"], alone["cluster"], alone["proposal"], alone["arm"]) == ("manual", "7", "", "proposal")
    bulk = table[table["image"] == fourth].iloc[0]
    assert (bulk["outcome"], bulk["label"], bulk["annotator"]) == ("bulk", proposed[fourth], "owner@example.org")
    assert np.isnan(bulk["seconds"])
    assert len(table) == 6


def test_the_control_arm_is_manual_and_records_the_proposal(
    client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    tasks = find_tasks(client, bundle, "control")
    row = bundle.proposals[(bundle.proposals["arm"] == "control") & (bundle.proposals["cluster"] == "1.2")].iloc[0]
    answer(annotators[0], tasks[row["image"]], choose("label", row["proposal"]))
    verdict = of(pull(client, bundle).verdicts, row["image"], annotators[0])
    assert (verdict["arm"], verdict["outcome"], verdict["label"]) == ("control", "manual", row["proposal"])
    assert (verdict["proposal"], verdict["cluster"]) == (row["proposal"], "1.2")


def test_clusters_give_a_verdict_a_member_and_send_images_back(
    client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle, (ada, bob) = new_bundle(), annotators
    run_push(client, bundle, overlap=2)
    tasks = find_tasks(client, bundle, "clusters")
    members = [member["value"] for member in tasks["0"]["data"]["members"]]
    others = [member["value"] for member in tasks["1.2"]["data"]["members"]]
    accepted = choose("cluster_label", CLASSES[1])
    answer(ada, tasks["0"], accepted, choose("outliers", members[0], members[3]), seconds=12.0)
    answer(bob, tasks["0"], choose("cluster_label", "ship"), seconds=6.0)
    answer(ada, tasks["1.2"], choose("cluster_label", "mixed"), seconds=8.0)
    answer(bob, tasks["1.2"], seconds=2.0, skip=True)
    pulled = pull(client, bundle)
    table = pulled.verdicts
    assert set(table["unit"]) == {"cluster"}
    assert len(table) == 2 * (len(members) + len(others))
    outcomes = [of(table, image, ada)["outcome"] for image in members]
    assert outcomes == ["excluded", "accepted", "accepted", "excluded", "accepted", "accepted"]
    assert [of(table, image, ada)["label"] for image in members[:2]] == ["", CLASSES[1]]
    assert {of(table, image, ada)["seconds"] for image in members} == {2.0}
    assert {tuple(of(table, image, bob)[["outcome", "label", "seconds"]]) for image in members} == {
        ("changed", "ship", 1.0)
    }
    for person, seconds in ((ada, 2.0), (bob, 0.5)):
        verdicts = {tuple(of(table, image, person)[["outcome", "label", "seconds"]]) for image in others}
        assert verdicts == {("skipped", "", seconds)}
    # bob's skip alone sends nothing back: Label Studio offers the cluster to others
    assert pulled.queued == {members[0], members[3], *others}
    assert set(table["cluster"]) == {"0", "1.2"}


def test_the_next_push_queues_what_came_back_once(
    client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    tasks = find_tasks(client, bundle, "clusters")
    image = tasks["0"]["data"]["members"][2]["value"]
    answer(annotators[0], tasks["0"], choose("cluster_label", "cat"), choose("outliers", image))
    before = names_of(client, bundle, "single")
    assert [done.tasks.added for done in run_push(client, bundle)] == [1, 0, 0]
    assert [done.tasks.added for done in run_push(client, bundle)] == [0, 0, 0]
    assert names_of(client, bundle, "single") == [*before, image]
    task = find_tasks(client, bundle, "single")[image]
    assert task["data"]["proposal"] == ""
    assert task["predictions"] == []
    answer(annotators[1], task, choose("label", "frog"))
    verdicts = pull(client, bundle).verdicts.set_index(["image", "unit"]).loc[image]
    assert verdicts["outcome"].to_dict() == {"image": "manual", "cluster": "excluded"}


def test_a_cluster_accepted_by_a_tool_is_bulk(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    accept_all(client, bundle, "clusters", "0")
    table = pull(client, bundle).verdicts
    assert table["outcome"].value_counts().to_dict() == {"bulk": 4, "excluded": 2}
    assert table["seconds"].isna().all()


def test_pulling_twice_writes_the_same_table(
    label_studio: Server,
    client: Client,
    new_bundle: MakeBundle,
    annotators: Annotators,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = new_bundle()
    run_push(client, bundle, overlap=2)
    command = ["label-studio", "pull", str(bundle.folder), "--url", label_studio.url]
    command += ["--token-file", str(label_studio.token_file), "--output"]
    assert main([*command, str(tmp_path / "none.csv")]) == 0
    assert "0 verdicts of 0 annotator(s): nobody answered yet" in capsys.readouterr().out
    for task in find_tasks(client, bundle, "single").values():
        for person in annotators:
            answer(person, task, choose("label", "cat"))
    for name in ("one.csv", "two.csv"):
        assert main([*command, str(tmp_path / name)]) == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len(read_verdicts(tmp_path / "one.csv")) == 2 * (N_CERTAIN + 3)
    printed = capsys.readouterr().out
    assert "22 verdicts of 2 annotator(s)" in printed
    assert "wall clock" in printed


def test_unknown_classes_are_refused_with_their_task_and_annotator(
    label_studio: Server, client: Client, new_bundle: MakeBundle, annotators: Annotators, tmp_path: Path
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    task = find_tasks(client, bundle, "single")[bundle.proposals["image"][0]]
    answer(annotators[0], task, choose("label", "zebra"))
    cluster = find_tasks(client, bundle, "clusters")["0"]
    answer(annotators[1], cluster, choose("cluster_label", "cat"), choose("outliers", "elsewhere.jpg"))
    with pytest.raises(InputError, match=rf"(?s)task {task['id']} \(.*\) by ada@example.org: zebra.*elsewhere.jpg"):
        pull(client, bundle)
    command = ["label-studio", "pull", str(bundle.folder), "--url", label_studio.url]
    command += ["--token-file", str(label_studio.token_file), "--output", str(tmp_path / "table.parquet")]
    assert main(command) == 2
    assert list(tmp_path.iterdir()) == []


def test_answers_that_do_not_count_are_named(client: Client, new_bundle: MakeBundle, annotators: Annotators) -> None:
    bundle, (ada, _) = new_bundle(), annotators
    run_push(client, bundle)
    project = find_projects(client, bundle)["single"]
    foreign = {"data": {"image": "http://127.0.0.1:1/x.png", "dc3_id": "not ours"}}
    number = client.post(f"/api/projects/{project.id}/import", [foreign], return_task_ids="true")["task_ids"][0]
    answer(ada, {"id": number}, choose("label", "cat"))
    first, second = bundle.proposals["image"][:2]
    tasks = find_tasks(client, bundle, "single")
    answer(ada, tasks[first])
    answer(ada, tasks[second], choose("label", "cat"))
    answer(ada, tasks[second], choose("label", "dog"))
    pulled = pull(client, bundle)
    assert list(pulled.verdicts["image"]) == [second]
    assert of(pulled.verdicts, second, ada)["label"] == "dog"
    assert [text.split(": ", 1)[1].split(": ")[-1] for text in pulled.left_out] == [
        "submitted without a class",
        "answered again, the last one counts",
        "1 answer(s)",
    ]
    assert f"task {number} is not one of these proposals" in pulled.left_out[2]


def test_edits_emptied_choices_and_deleted_people_come_back_as_they_are(
    label_studio: Server, owner: Person, client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle, (ada, _) = new_bundle(), annotators
    run_push(client, bundle, overlap=4)
    first, second = bundle.proposals["image"][:2]
    tasks = find_tasks(client, bundle, "single")
    older = answer(ada, tasks[first], choose("label", "cat"))
    answer(ada, tasks[first], choose("label", "dog"))
    change = {"result": [choose("label", "frog")], "lead_time": 4.0}
    ada.session.patch(f"/api/annotations/{older}/", json=change).raise_for_status()
    answer(ada, tasks[second], choose("label"))
    for number in range(2):
        email = f"{bundle.about.round}.{number}@example.org"
        with contextlib.closing(sign_up(label_studio.url, owner.session, email, PASSWORD)) as session:
            answer(Person(email, session), tasks[second], choose("label", CLASSES[number]))
            me = session.get("/api/current-user/whoami").raise_for_status().json()["id"]
        owner.session.delete(f"/api/users/{me}").raise_for_status()
    pulled = pull(client, bundle)
    assert of(pulled.verdicts, first, ada)["label"] == "frog", "the older annotation was edited last"
    left = pulled.verdicts[pulled.verdicts["image"] == second]
    assert list(left["label"]) == list(CLASSES[:2])
    assert left["annotator"].str.startswith("deleted user").all()
    assert left["annotator"].nunique() == 2
    texts = [text.rsplit(": ", 1)[1] for text in pulled.left_out]
    assert texts == ["answered again, the last one counts", "submitted without a class"]


def test_two_annotators_are_each_asked_when_overlap_is_two(
    client: Client, new_bundle: MakeBundle, annotators: Annotators
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    project = find_projects(client, bundle)["control"]
    assert project.overlap == 1
    run_push(client, bundle, overlap=2)
    asked = []
    for person in annotators:
        names = []
        while (page := person.session.get(f"/api/projects/{project.id}/next")).status_code == 200:
            task = page.json()
            assert task["annotations"] == []
            names.append(task["data"]["dc3_id"])
            answer(person, task, choose("label", "cat"))
        asked.append(names)
    control = set(bundle.proposals["image"][bundle.proposals["arm"] == "control"])
    assert set(asked[0]) == set(asked[1]) == control
    assert asked[0] == names_of(client, bundle, "control")
    assert asked[0] != sorted(asked[0])
    assert pull(client, bundle).verdicts.groupby("annotator").size().tolist() == [6, 6]


def test_a_folder_that_was_never_pushed_is_named(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    with pytest.raises(InputError, match="push the proposals first"):
        pull(client, bundle)


def test_editing_captions_leaves_the_projects_what_they_are(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    path = bundle.folder / CLUSTERS
    path.write_text(path.read_text().replace("mostly", "rather"))
    assert len(find_projects(client, bundle)) == 3
