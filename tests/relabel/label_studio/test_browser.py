"""An annotator in a real browser, with the keyboard: what is selected, what is seen, what comes back."""

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.proposals import ProposalFolder
from relabel.label_studio.client import Client
from relabel.label_studio.projects import Kind, find_projects
from relabel.label_studio.pull import pull
from tests.browser import CHROMIUM, Page, open_page
from tests.relabel.label_studio.bundles import CLASSES
from tests.relabel.label_studio.conftest import MakeBundle
from tests.relabel.label_studio.server import Person, Server
from tests.relabel.label_studio.test_push import names_of, run_push

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="LABEL STUDIO'S PAGES ARE UNTESTED HERE: install Debian's chromium"),
]

_CHECKED = "[...document.querySelectorAll('input[type={}]:checked')].map(e => e.name)"


@pytest.fixture
def page(tmp_path: Path, label_studio: Server, annotators: tuple[Person, Person]) -> Iterator[Page]:
    """A browser in which the first annotator has logged in."""
    with open_page(tmp_path) as opened:
        size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        opened.call("Emulation.setDeviceMetricsOverride", **size)
        for name, value in annotators[0].session.cookies.items():
            opened.call("Network.setCookie", name=name, value=value, url=label_studio.url)
        yield opened


def open_stream(page: Page, client: Client, bundle: ProposalFolder, kind: Kind) -> None:
    """The project as annotators see it: one task after the other."""
    project = find_projects(client, bundle)[kind]
    page.call("Page.navigate", url=f"{client.url}/projects/{project.id}/data?labeling=1")
    page.wait_for("document.querySelectorAll('input[type=radio]').length > 0")
    page.wait_for("[...document.querySelectorAll('img')].some(e => e.naturalWidth === 32)")


def press(page: Page, key: str, control: bool = False) -> None:
    """A key, as a keyboard sends it."""
    code = {"Enter": 13}.get(key, ord(key[0].upper()))
    event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if control else 0}
    event |= {"code": f"Digit{key}" if key.isdigit() else key if key == "Enter" else f"Key{key.upper()}"}
    text = {} if control else {"text": key}
    page.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
    page.call("Input.dispatchKeyEvent", type="keyUp", **event)


def submit(page: Page) -> None:
    """Ctrl+Enter, and waits for the next task or the end."""
    number = "(document.querySelector('.lsf-current-task__task-id')?.textContent ?? '')"
    before = page.evaluate(number)
    press(page, "Enter", control=True)
    page.wait_for(f"{number} !== {before!r}")


def keep_picture(page: Page, name: str) -> None:
    """A picture for a person to look at, where DC3_SCREENSHOTS names a folder."""
    if folder := os.environ.get("DC3_SCREENSHOTS"):
        picture = page.call("Page.captureScreenshot")["data"]
        (Path(folder) / f"label_studio_{name}.png").write_bytes(base64.b64decode(picture))


def radios(page: Page) -> list[str]:
    """Classes that are selected."""
    return list(page.evaluate(_CHECKED.format("radio")))


def test_proposals_are_selected_and_three_keys_answer(
    page: Page, client: Client, new_bundle: MakeBundle, annotators: tuple[Person, Person]
) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    first, second, third = names_of(client, bundle, "single")[:3]
    proposed = bundle.proposals.set_index("image")["proposal"]
    open_stream(page, client, bundle, "single")
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    assert radios(page) == [proposed[first]]
    keep_picture(page, "single")
    submit(page)
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    assert radios(page) == [proposed[second]]
    press(page, "2")
    page.wait_for(f"{_CHECKED.format('radio')}[0] === {CLASSES[1]!r}")
    submit(page)
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    # Its own key takes the selection away, and brings it back: the proposal was still seen.
    key = "1234567890"[CLASSES.index(proposed[third])]
    press(page, key)
    page.wait_for(f"{_CHECKED.format('radio')}.length === 0")
    press(page, key)
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    time.sleep(1)
    submit(page)
    table = pull(client, bundle).verdicts.set_index("image")
    assert list(table.index) == [first, second, third]
    assert table["outcome"].tolist() == ["accepted", "changed", "accepted"]
    assert table["label"].tolist() == [proposed[first], CLASSES[1], proposed[third]]
    assert table["seconds"].between(0, 60, inclusive="neither").all()
    assert table["seconds"].iloc[2] > 1
    assert set(table["annotator"]) == {annotators[0].email}


def test_the_control_arm_shows_nothing_selected(page: Page, client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle()
    run_push(client, bundle)
    open_stream(page, client, bundle, "control")
    assert radios(page) == []
    keep_picture(page, "control")
    press(page, "0")
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    assert radios(page) == [CLASSES[9]]
    submit(page)
    verdict = pull(client, bundle).verdicts.iloc[0]
    assert (verdict["outcome"], verdict["label"], verdict["arm"]) == ("manual", CLASSES[9], "control")


def test_a_cluster_is_a_grid_with_its_class_and_suspects_selected(
    page: Page, client: Client, new_bundle: MakeBundle
) -> None:
    bundle = new_bundle({"0": 40, "7": 2})
    run_push(client, bundle)
    table = bundle.proposals[(bundle.proposals["cluster"] == "0") & (bundle.proposals["arm"] == "proposal")]
    suspects = list(table["image"][table["suspect"]])
    open_stream(page, client, bundle, "clusters")
    page.wait_for("[...document.querySelectorAll('.dc3-grid img')].filter(e => e.naturalWidth === 32).length === 40")
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    assert radios(page) == [CLASSES[1]]
    assert page.evaluate(_CHECKED.format("checkbox")) == suspects
    press(page, "q")
    page.wait_for(f"{_CHECKED.format('checkbox')}.length === 1")
    third = table["image"].iloc[2]
    page.evaluate(f"document.querySelector('input[name=\"{third}\"]').click()")
    page.wait_for(f"{_CHECKED.format('checkbox')}.length === 2")
    keep_picture(page, "cluster")
    submit(page)
    pulled = pull(client, bundle)
    assert pulled.queued == {suspects[1], third}
    outcomes = pulled.verdicts["outcome"].value_counts().to_dict()
    assert outcomes == {"accepted": 38, "excluded": 2}
    assert pulled.verdicts["seconds"].sum() == pytest.approx(40 * pulled.verdicts["seconds"].iloc[0])


def test_leaving_a_cluster_as_mixed_takes_one_key(page: Page, client: Client, new_bundle: MakeBundle) -> None:
    bundle = new_bundle({"0": 3, "7": 2})
    run_push(client, bundle)
    open_stream(page, client, bundle, "clusters")
    page.wait_for(f"{_CHECKED.format('radio')}.length === 1")
    press(page, "m")
    page.wait_for(f"{_CHECKED.format('radio')}[0] === 'mixed'")
    submit(page)
    assert pull(client, bundle).verdicts["outcome"].tolist() == ["skipped"] * 3
