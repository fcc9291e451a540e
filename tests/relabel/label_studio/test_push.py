"""Pushing to a real Label Studio: once, twice, killed, over a broken connection."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import CLUSTERS, PROPOSALS, ProposalFolder, read_proposal_folder
from dc3.__main__ import main
from relabel.label_studio.client import Client
from relabel.label_studio.image_links import link_local
from relabel.label_studio.projects import Kind, Project, find_projects
from relabel.label_studio.push import Pushed, PushOptions, push
from relabel.label_studio.send_tasks import CHUNK
from relabel.label_studio.token import read_token
from tests.relabel.label_studio.bundles import CLASSES, MEMBERS, N_CERTAIN, N_CONTROL
from tests.relabel.label_studio.conftest import MakeBundle
from tests.relabel.label_studio.relay import relay
from tests.relabel.label_studio.server import ROOT, Person, Server, personal_token

pytestmark = pytest.mark.slow

N_SINGLE = N_CERTAIN + MEMBERS["7"]


def run_push(client: Client, bundle: ProposalFolder, overlap: int = 1) -> list[Pushed]:
    """Pushes with local files."""
    return push(client, bundle, PushOptions(link_local(bundle, bundle.folder.parent), overlap=overlap))


def list_tasks(client: Client, project: Project) -> list[dict]:
    """All tasks of a project with their predictions."""
    parameters = {"exportType": "JSON", "download_all_tasks": "true"}
    return client.get(f"/api/projects/{project.id}/export", **parameters)


def names_of(client: Client, bundle: ProposalFolder, kind: Kind) -> list[str]:
    """Names of the tasks of one project, in the server's order."""
    return [task["data"]["dc3_id"] for task in list_tasks(client, find_projects(client, bundle)[kind])]


def test_a_second_push_adds_nothing(
    label_studio: Server, client: Client, new_bundle: MakeBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = new_bundle()
    number = bundle.about.round
    command = ["label-studio", "push", str(bundle.folder), "--url", label_studio.url]
    command += ["--token-file", str(label_studio.token_file)]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert (
        f"DC3 round {number}: single images: {N_SINGLE} task(s) added, 0 were there; {label_studio.url}/projects/"
        in first
    )
    assert f"DC3 round {number}: clusters: 2 task(s) added, 0 were there" in first
    assert f"DC3 round {number}: no proposals: {N_CONTROL} task(s) added, 0 were there" in first
    assert main(command) == 0
    second = capsys.readouterr().out
    assert f"single images: 0 task(s) added, {N_SINGLE} were there" in second
    assert "clusters: 0 task(s) added, 2 were there" in second
    assert "no proposals: 0 task(s) added, 6 were there" in second
    assert len(names_of(client, bundle, "single")) == N_SINGLE


def test_the_server_takes_every_proposal_and_none_is_in_the_control_arm(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    projects = find_projects(client, bundle)
    predictions = {kind: client.get("/api/predictions/", project=projects[kind].id) for kind in projects}
    shown = sorted(entry["result"][0]["value"]["choices"][0] for entry in predictions["single"])
    certain = bundle.proposals[(bundle.proposals["arm"] == "proposal") & (bundle.proposals["decision"] == "class")]
    assert shown == sorted(certain["proposal"])
    assert set(shown) & {CLASSES[1], CLASSES[2], CLASSES[9]}, "no class that needs escaping was proposed"
    ticked = [entry["result"][1]["value"]["choices"] for entry in predictions["clusters"]]
    suspects = bundle.proposals[bundle.proposals["suspect"]]
    assert ticked == [list(suspects["image"][suspects["cluster"] == cluster]) for cluster in ("0", "1.2")]
    assert predictions["control"] == []
    for task in list_tasks(client, projects["control"]):
        assert task["data"] == {"image": task["data"]["image"], "dc3_id": task["data"]["dc3_id"], "proposal": ""}
    for kind, classes in (("single", CLASSES), ("clusters", (*CLASSES, "mixed")), ("control", CLASSES)):
        assert projects[kind].classes == classes
    for task in list_tasks(client, projects["single"]):
        answer = client.fetch(task["data"]["image"])
        row = bundle.proposals.set_index("image").loc[task["data"]["dc3_id"]]
        assert answer.content == bundle.image_path(row["file"]).read_bytes()


def test_a_push_killed_half_way_is_completed_by_the_next(
    label_studio: Server, client: Client, new_bundle: MakeBundle
) -> None:
    bundle = new_bundle(n_certain=5 * CHUNK)
    command = [sys.executable, "-m", "dc3", "label-studio", "push", str(bundle.folder), "--url", label_studio.url]
    environment = {**os.environ, "LABEL_STUDIO_TOKEN": read_token(label_studio.token_file)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            projects = find_projects(client, bundle)
            if "single" in projects:
                page = client.get("/api/tasks", project=projects["single"].id, page_size=1, include="id")
                if page["total"] > 0:
                    os.kill(process.pid, signal.SIGKILL)
                    break
            time.sleep(0.02)
    assert process.returncode == -signal.SIGKILL
    time.sleep(1)
    n_before = len(names_of(client, bundle, "single"))
    assert 0 < n_before < 5 * CHUNK
    pushed = run_push(client, bundle)
    assert pushed[0].tasks.there == n_before
    names = names_of(client, bundle, "single")
    certain = bundle.proposals[(bundle.proposals["arm"] == "proposal") & (bundle.proposals["cluster"].isin(["", "7"]))]
    assert sorted(names) == sorted(certain["image"])
    assert len(names_of(client, bundle, "control")) == N_CONTROL
    assert set(find_projects(client, bundle)) == {"single", "clusters", "control"}


def test_requests_that_were_carried_out_but_never_answered_make_no_copies(
    label_studio: Server, client: Client, new_bundle: MakeBundle
) -> None:
    bundle = new_bundle(n_certain=2 * CHUNK)
    token = read_token(label_studio.token_file)
    with relay(label_studio.url, {1, 3}) as between, Client(between.url, token) as through:
        pushed = run_push(through, bundle)
    assert between.imports >= 5
    assert pushed[0].tasks.added == 2 * CHUNK + MEMBERS["7"]
    assert [done.tasks.removed for done in pushed] == [0, 0, 0]
    names = names_of(client, bundle, "single")
    assert len(names) == len(set(names)) == 2 * CHUNK + MEMBERS["7"]
    assert sorted(names_of(client, bundle, "clusters")) == ["0", "1.2"]


def test_unanswered_copies_of_a_task_are_removed(
    client: Client, new_bundle: MakeBundle, annotators: tuple[Person, Person]
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    project = find_projects(client, bundle)["control"]
    first = list_tasks(client, project)[0]
    copies = client.post(f"/api/projects/{project.id}/import", [{"data": first["data"]}] * 2, return_task_ids="true")
    answered = copies["task_ids"][0]
    result = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": ["cat"]}}
    body = {"result": [result], "lead_time": 2.0}
    assert annotators[0].session.post(f"/api/tasks/{answered}/annotations/", json=body).status_code == 201
    assert [done.tasks.removed for done in run_push(client, bundle)] == [0, 0, 2]
    left = [task["id"] for task in list_tasks(client, project) if task["data"] == first["data"]]
    assert left == [answered]


def test_wrong_classes_are_refused_before_anything_is_sent(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    table = pd.read_parquet(bundle.folder / PROPOSALS)
    table.loc[[0, 2], "proposal"] = "zebra"
    table.to_parquet(bundle.folder / PROPOSALS, index=False)
    first, third = table["image"][0], table["image"][2]
    wrong = read_proposal_folder(bundle.folder)
    with pytest.raises(InputError, match=rf"(?s)Nothing was sent.*{first}: 'zebra', {third}: 'zebra'"):
        run_push(client, wrong)
    assert find_projects(client, wrong) == {}


def test_a_class_taken_out_of_the_interface_is_refused(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    project = find_projects(client, bundle)["control"]
    config = client.get(f"/api/projects/{project.id}")["label_config"]
    changed = config.replace('<Choice value="ship" hotkey="9" />', "")
    assert changed != config
    client.patch(f"/api/projects/{project.id}/", {"label_config": changed})
    with pytest.raises(InputError, match=r"no proposals' \(project \d+\) lacks ship"):
        run_push(client, bundle)


def test_edited_clusters_are_named_and_stay_as_they_were_pushed(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    path = bundle.folder / CLUSTERS
    path.write_text(path.read_text().replace(",cat,", ",dog,").replace(",dog,3", ",horse,3"))
    pushed = run_push(client, read_proposal_folder(bundle.folder))
    assert {done.project.kind: done.tasks.stale for done in pushed} == {
        "single": (),
        "clusters": ("1.2",),
        "control": (),
    }


def test_large_clusters_come_on_several_pages(client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle({"0": 130, "1": 2})
    run_push(client, bundle)
    tasks = list_tasks(client, find_projects(client, bundle)["clusters"])
    sizes = {task["data"]["dc3_id"]: len(task["data"]["members"]) for task in tasks}
    assert sizes == {"0 (1 of 3)": 44, "0 (2 of 3)": 43, "0 (3 of 3)": 43}


def test_both_kinds_of_token_work_and_old_access_is_renewed(
    label_studio: Server, owner: Person, new_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = new_bundle()
    token = personal_token(owner)
    with Client(label_studio.url, token) as client:
        run_push(client, bundle)
        # The server answers it as it answers an access token five minutes later.
        spoilt = client._http.auth._access[:-8] + "aaaaaaaa"
        monkeypatch.setattr(client._http.auth, "_access", spoilt)
        assert len(find_projects(client, bundle)) == 3
        assert client._http.auth._access != spoilt
    with Client(label_studio.url, read_token(label_studio.token_file)) as legacy:
        assert len(find_projects(legacy, bundle)) == 3
    for wrong in (token[:-8] + "aaaaaaaa", "0" * 40):
        refused = r"answered 401 .* token must be one of a user"
        with Client(label_studio.url, wrong) as stranger, pytest.raises(InputError, match=refused) as caught:
            find_projects(stranger, bundle)
        assert wrong not in str(caught.value)


def test_images_that_the_server_cannot_hand_out_stop_the_push(
    client: Client, new_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = new_bundle()
    with pytest.raises(InputError, match=r"does not lie below .*LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"):
        link_local(bundle, tmp_path)
    # a root above the server's: addresses that it does not know, though the folder itself can be registered
    with pytest.raises(InputError, match=r"does not hand out .* annotators would see no images"):
        push(client, bundle, PushOptions(link_local(bundle, bundle.folder.parent.parent)))
    assert names_of(client, bundle, "single") == []


def test_a_server_that_is_not_there_is_named(new_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relabel.label_studio.client.WAITS_S", (0.01,))
    nobody = r"No answer from http://127.0.0.1:1 .*dc3 label-studio start"
    with Client("http://127.0.0.1:1", "0" * 40) as client, pytest.raises(InputError, match=nobody):
        run_push(client, new_bundle())
