"""The serving image, as far as it can be proven without a container engine."""

import ast
import re
import shutil
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.running import ROOT, make_images, serve

STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", (ROOT / "Dockerfile").read_text(), re.M | re.S))
REMOVED = re.findall(r"^RUN rm -r ([^&]+)&&", STAGES["serve"], re.M)[0].split()
PACKAGES = {"PIL": "pillow", "python_multipart": "python-multipart", "prometheus_client": "prometheus-client"}


def build(folder: Path) -> None:
    """Puts the files of the serving image into a folder: its COPY lines, then its rm."""
    for line in re.findall(r"^COPY (.+)$", STAGES["serve"], re.M):
        *sources, target = line.split()
        for source in sources:
            if source == "constraints.txt":  # only pip reads it
                continue
            place = folder / target
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    for name in REMOVED:
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


@pytest.mark.slow
def test_the_files_of_the_image_serve_without_torch(model_path: Path, tmp_path: Path) -> None:
    build(tmp_path / "app")
    assert not (tmp_path / "app" / "training").exists()
    with serve(model_path, tmp_path / "server", root=tmp_path / "app") as server:
        picture = encode(Image.fromarray(make_images(1)[0]), "PNG")
        response = httpx.post(f"{server.url}/predict", files={"f": ("a.png", picture)})
        assert response.json()["answers"][0]["error"] is None
        assert "Traceback" not in server.log.read_text()


def test_the_image_installs_what_the_service_imports_and_no_more(tmp_path: Path) -> None:
    build(tmp_path)
    found: set[str] = set()
    for path in tmp_path.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.partition(".")[0] for name in names}
    # dc3.serve asks training only for a registered model, and says so where there is none
    found -= {*sys.stdlib_module_names, "data", "serving", "training", "web"}
    lines = (ROOT / "serving" / "requirements.txt").read_text().splitlines()
    installed = {re.split("[<>=]", line)[0] for line in lines if not line.startswith("#")}
    # uvicorn's part: the event loop that it takes where it is, and the parser under web.protocol
    assert {PACKAGES.get(name, name) for name in found} == installed - {"uvloop", "httptools"}


def test_the_image_runs_as_a_user_and_is_watched() -> None:
    assert re.search(r"^USER (?!root)", STAGES["serve"], re.M)
    assert "HEALTHCHECK" in STAGES["serve"]
    assert "torch" not in STAGES["serve"]
