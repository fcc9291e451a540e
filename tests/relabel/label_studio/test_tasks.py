"""A proposal folder as tasks, before anything is sent."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import ProposalFolder
from relabel.label_studio.image_links import link_local, link_web
from relabel.label_studio.projects import make_key, make_title
from relabel.label_studio.tasks import check_bundle, cluster_tasks, control_tasks, single_tasks
from tests.relabel.label_studio.bundles import CLASSES, make_bundle

LINKS = link_web("https://images.example.org/round%201")


@pytest.fixture
def bundle(tmp_path: Path, cifar10h: Path) -> ProposalFolder:
    """A small proposal folder."""
    return make_bundle(tmp_path / "bundle", cifar10h, 1)


def with_table(bundle: ProposalFolder, table: pd.DataFrame) -> ProposalFolder:
    """The folder with other proposals."""
    return bundle._replace(proposals=table)


def test_every_image_is_asked_about_once(bundle: ProposalFolder) -> None:
    single = [task.name for task in single_tasks(bundle, LINKS, ())]
    control = [task.name for task in control_tasks(bundle, LINKS)]
    members = [member["value"] for task in cluster_tasks(bundle, LINKS, small=True) for member in task.data["members"]]
    assert sorted(single + control + members) == sorted(bundle.proposals["image"])


def test_control_tasks_tell_nothing_of_the_proposal(bundle: ProposalFolder) -> None:
    for task in control_tasks(bundle, LINKS):
        assert set(task.data) == {"image", "proposal"}
        assert task.data["proposal"] == ""
        assert task.to_json("run")["predictions"] == []


def test_the_most_gain_per_minute_comes_first(bundle: ProposalFolder) -> None:
    table = bundle.proposals.assign(gain_per_minute=range(len(bundle.proposals)))
    clusters = bundle.clusters.assign(gain_per_minute=[1.0, 2.0, 3.0])
    changed = with_table(bundle, table)._replace(clusters=clusters)
    certain = table[(table["arm"] == "proposal") & (table["decision"] == "class")]
    names = [task.name for task in single_tasks(changed, LINKS, ())]
    assert names[: len(certain)] == list(certain["image"])[::-1]
    assert [task.name for task in cluster_tasks(changed, LINKS, small=True)] == ["1.2", "0"]


def test_images_sent_back_follow_without_a_proposal(bundle: ProposalFolder) -> None:
    image = bundle.proposals["image"][bundle.proposals["cluster"] == "0"].iloc[0]
    added = single_tasks(bundle, LINKS, {image})[-4:]
    assert image in [task.name for task in added]
    assert {str(task.data["proposal"]) for task in added} == {""}
    assert all(task.results == [] for task in added)


def test_thumbnails_have_addresses_that_lead_to_their_images(bundle: ProposalFolder) -> None:
    class Images(HTMLParser):
        found: str | None = None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag == "img"
            self.found = dict(attrs)["src"]

    files = bundle.proposals.set_index("image")["file"]
    for member in cluster_tasks(bundle, LINKS, small=True)[0].data["members"]:
        parser = Images()
        parser.feed(member["html"])
        assert parser.found is not None
        assert unquote(parser.found).endswith(f"/{files[member['value']]}")
        assert " " not in parser.found


def test_all_faults_are_named_at_once(bundle: ProposalFolder) -> None:
    table = bundle.proposals.copy()
    table.loc[0, "proposal"] = "zebra"
    table.loc[1, "image"] = table["image"][2]
    table.loc[table["cluster"] == "0", "cluster"] = ""
    classes = (*CLASSES, "mixed", "Mixed", " space", "5 $x", "", "cat")
    wrong = with_table(bundle, table)._replace(about=replace(bundle.about, classes=classes))
    with pytest.raises(InputError) as caught:
        check_bundle(wrong)
    message = str(caught.value)
    for part in (
        "'mixed', 'Mixed', ' space', '5 $x', ''",
        "must differ",
        ": 'zebra'",
        "without a cluster",
        "stand there twice",
    ):
        assert part in message
    check_bundle(bundle)


def test_the_mark_stays_when_the_folder_moves_and_differs_for_other_proposals(bundle: ProposalFolder) -> None:
    key = make_key(bundle)
    edited = bundle.clusters.assign(caption="edited", proposal="dog")
    assert make_key(bundle._replace(folder=Path("elsewhere"), clusters=edited)) == key
    assert make_key(with_table(bundle, bundle.proposals.assign(proposal="dog"))) != key
    assert make_key(bundle._replace(about=replace(bundle.about, round=2))) != key


def test_titles_that_label_studio_would_refuse_are_named(bundle: ProposalFolder) -> None:
    assert make_title("x" * 33, "single", bundle.about) == "x" * 33 + " 1: single images"
    for title in ("x" * 34, " "):
        with pytest.raises(InputError, match="must have 1 to 33 characters"):
            make_title(title, "single", bundle.about)


def test_addresses_of_images_must_be_whole() -> None:
    for base in ("images.example.org", "https://images.example.org/round 1"):
        with pytest.raises(InputError, match="--images-url must begin with http"):
            link_web(base)


def test_a_server_may_know_the_folder_by_another_name(bundle: ProposalFolder) -> None:
    links = link_local(bundle, bundle.folder.parent, "/label-studio/files/")
    assert links.storage == "/label-studio/files/bundle/images"
    assert links.url("a & ü/x.png") == "/data/local-files/?d=bundle/images/a%20%26%20%C3%BC/x.png"
