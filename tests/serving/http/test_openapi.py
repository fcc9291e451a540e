"""The description of the interface: property-based tests made from it, and a client made from it."""

import importlib
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from PIL import Image

from tests.data.images.test_decoding import encode
from tests.serving.running import CARD, Server, make_images

pytestmark = pytest.mark.slow
GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")
SECONDS = 30
# The schema cannot say that a file is an image, so what it allows may be refused too; and 413 is a refusal.
_CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 413, 415, 422]
[checks.negative_data_rejection]
expected-statuses = [400, 404, 405, 413, 415, 422]
"""


def test_no_request_that_the_description_suggests_breaks_the_service_or_the_description(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "schemathesis.toml").write_text(_CONFIG)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/openapi.json"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS)]
    command += ["--no-color", "--generation-database", "none", "--warnings", "off", "--request-timeout", "20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 90, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "6 selected / 6 total" in done.stdout
    assert httpx.post(f"{server.url}/predict", content=GOOD).status_code == 200
    log = server.log.read_text()
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def generated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A client package that openapi-python-client made of the description."""
    folder = tmp_path_factory.mktemp("client")
    description = httpx.get(f"{server.url}/openapi.json").json()
    # Its release 0.29.1 writes an undefined name where an operation takes one of several bodies (issue 1451).
    bodies = description["paths"]["/predict"]["post"]["requestBody"]["content"]
    description["paths"]["/predict"]["post"]["requestBody"]["content"] = {
        "multipart/form-data": bodies["multipart/form-data"]
    }
    (folder / "openapi.json").write_text(json.dumps(description))
    # It takes no image for a file unless told; its own formatting of the code needs ruff on the path.
    overrides = {"image/jpeg": "application/octet-stream"}
    (folder / "config.json").write_text(json.dumps({"content_type_overrides": overrides, "post_hooks": []}))
    command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path", "openapi.json"]
    command += ["--config", "config.json", "--meta", "none", "--output-path", "generated_dc3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("generated_dc3")
    finally:
        sys.path.remove(str(folder))


def test_a_generated_client_predicts_and_reads_the_model(generated: ModuleType, server: Server) -> None:
    predict, get_model, get_image = (
        importlib.import_module(f"generated_dc3.api.default.{name}")
        for name in ("predict", "get_model", "get_typical_image")
    )
    form = importlib.import_module("generated_dc3.models").PredictBody
    file = importlib.import_module("generated_dc3.types").File

    def send(**images: bytes) -> object:
        return form(images=[file(payload=io.BytesIO(data), file_name=name) for name, data in images.items()])

    with generated.Client(base_url=server.url) as client:
        good, bad = predict.sync(client=client, body=send(a=GOOD, b=b"text")).answers
        assert (good.name, good.error) == ("a", None)
        assert good.class_ in CARD.classes
        assert good.class_probabilities[good.class_] == good.class_probability
        assert (bad.name, bad.error.reason) == ("b", "not_an_image")
        refused = predict.sync_detailed(client=client, body=send(a=b"text"))
        assert (refused.status_code, refused.parsed.answers[0].error.status) == (415, 415)
        model = get_model.sync(client=client)
        assert model.classes == list(CARD.classes)
        cluster, name = model.clusters[2].images[1].partition("?")[0].split("/")[-2:]
        assert get_image.sync(cluster, name, client=client).payload.read() == CARD.typical[2][1]
        assert get_image.sync("2", "99.jpg", client=client).error.reason == "no_such_image"
