"""The page in a real browser: choose or drop images, read the answers."""

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from serving.export.to_onnx import export_onnx
from tests.browser import CHROMIUM, Page, open_page
from tests.serving.running import CARD, Server, TinyPredictor, make_images, serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="THE PAGE IS UNTESTED HERE: install Debian's chromium"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three images and a text."""
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"scan {place}.png" for place in range(3)]
    for path, image in zip(paths, make_images(3, 64, seed=9), strict=True):
        Image.fromarray(image).save(path)
    (folder / "notes.txt").write_text("no image")
    return [*paths, folder / "notes.txt"]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page in a new browser."""
    with open_page(tmp_path) as opened:
        yield opened


def test_chosen_images_are_answered_beside_their_pictures(page: Page, server: Server, files: list[Path]) -> None:
    page.call("Page.navigate", url=f"{server.url}/")
    page.wait_for("document.querySelector('#model')?.textContent.includes('3 classes')")
    page.wait_for("document.querySelector('#quality li')?.textContent === 'How good this model is was not measured.'")
    page.choose_files("#files", *files)
    page.wait_for("document.querySelector('#status').textContent === '4 images done'")
    assert page.evaluate("[...document.querySelectorAll('.name')].map(e => e.textContent)") == [p.name for p in files]
    decisions = page.evaluate("[...document.querySelectorAll('.decision')].map(e => e.textContent)")
    assert len(decisions) == 3
    assert all(text.startswith(("Class: ", "Doubtful: cluster ")) for text in decisions)
    rows = page.evaluate("[...document.querySelector('tbody').rows].map(r => r.innerText.trim().split(/\\s+/))")
    assert sorted(row[0] for row in rows) == sorted(CARD.classes)
    assert sum(float(row[1]) for row in rows) == pytest.approx(100, abs=0.3)
    assert "notes.txt: not a readable image" in page.evaluate(
        "document.querySelector('.error:not([hidden])').textContent"
    )
    check_neighbours(page)
    page.wait_for("[...document.querySelectorAll('.thumbnail')].slice(0, 3).every(e => e.naturalWidth === 64)")
    assert page.faults == []
    if folder := os.environ.get("DC3_SCREENSHOTS"):
        picture = page.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (Path(folder) / "page.png").write_bytes(base64.b64decode(picture))


def check_neighbours(page: Page) -> None:
    """Each answer shows the typical images of its cluster, with a text for those who cannot see them."""
    page.wait_for("document.querySelector('.neighbours img')")
    page.wait_for("[...document.querySelectorAll('.neighbours img')].every(e => e.naturalWidth === 16)")
    texts = page.evaluate("[...document.querySelectorAll('figcaption')].map(e => e.textContent)")
    shown = page.evaluate(
        "[...document.querySelectorAll('.neighbours')].map(list => [...list.querySelectorAll('img')].map(e => e.alt))"
    )
    clusters = [int(text.partition("cluster ")[2].partition(":")[0]) for text in texts]
    assert [len(images) for images in shown] == [len(CARD.typical[cluster]) for cluster in clusters]
    assert sum(map(len, shown)) > 0
    for cluster, images in zip(clusters, shown, strict=True):
        for place, text in enumerate(images, 1):
            assert text == f"Typical image {place} of cluster {cluster}, {CARD.captions[cluster]}"


def test_the_most_probable_of_many_classes_stand_first_and_the_others_unfold(
    page: Page, tmp_path: Path, files: list[Path]
) -> None:
    many = tmp_path / "many.onnx"
    names = tuple(f"class {number}" for number in range(9))
    export_onnx(NineClasses(), replace(CARD, classes=names), make_images(4), many)
    with serve(many, tmp_path / "server") as server:
        page.call("Page.navigate", url=f"{server.url}/")
        page.wait_for("document.querySelector('#model')?.textContent.includes('9 classes')")
        page.choose_files("#files", files[0])
        page.wait_for("document.querySelector('#status').textContent === '1 image done'")
        values = (
            "[...document.querySelectorAll('.classes')].map(t => [...t.querySelectorAll('progress')].map(e => e.value))"
        )
        first, others = page.evaluate(values)
        assert (len(first), len(others)) == (5, 4)
        assert first + others == sorted(first + others, reverse=True)
        assert page.evaluate("document.querySelector('summary').textContent") == "4 less probable classes"
        assert not page.evaluate("document.querySelector('details').open")
        page.evaluate("document.querySelector('summary').focus()")
        page.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
        page.wait_for("document.querySelector('details').open")


class NineClasses(TinyPredictor):
    """The tiny network with its classes split in three each."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Nine classes, else as the tiny network."""
        classes, clusters, ambiguity, embedding = super().forward(images)
        shares = torch.tensor([0.5, 0.3, 0.2])
        return (classes[:, :, None] * shares).flatten(1), clusters, ambiguity, embedding


def test_images_can_be_dropped(page: Page, server: Server) -> None:
    page.call("Page.navigate", url=f"{server.url}/")
    page.wait_for("document.querySelector('#model')?.textContent")
    page.evaluate(
        """(async () => {
          const canvas = new OffscreenCanvas(20, 20);
          canvas.getContext('2d').fillRect(0, 0, 9, 9);
          const transfer = new DataTransfer();
          transfer.items.add(new File([await canvas.convertToBlob()], 'dropped.png'));
          document.querySelector('#drop').dispatchEvent(new DragEvent('drop', {dataTransfer: transfer}));
        })()"""
    )
    page.wait_for("document.querySelector('#status').textContent === '1 image done'")
    assert page.evaluate("document.querySelector('.name').textContent") == "dropped.png"


def test_everything_has_a_name_for_a_screen_reader(page: Page, server: Server, files: list[Path]) -> None:
    page.call("Page.navigate", url=f"{server.url}/")
    page.wait_for("document.querySelector('#model')?.textContent")
    page.choose_files("#files", files[0])
    page.wait_for("document.querySelector('#status').textContent === '1 image done'")
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes}
    roles = {role for role, _ in named}
    assert {"heading", "list", "table", "meter", "status", "progressbar", "figure"} <= roles
    for role, name in named:
        assert name or role not in ("button", "meter", "progressbar", "heading", "textbox", "image"), role
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert page.evaluate("document.activeElement.id") == "files"


def test_a_key_is_asked_for_where_one_is_needed(
    page: Page, model_path: Path, tmp_path: Path, files: list[Path]
) -> None:
    with serve(model_path, tmp_path / "server", DC3_API_KEYS="the-key") as server:
        page.call("Page.navigate", url=f"{server.url}/")
        page.wait_for("document.querySelector('#key-field')?.hidden === false")
        page.evaluate("document.querySelector('#key').value = 'the-key'")
        page.choose_files("#files", *files[:3])
        page.wait_for("document.querySelector('#status').textContent === '3 images done'")
        check_neighbours(page)
