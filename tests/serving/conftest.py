"""The tiny model as a file, and one service around it for all tests."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.export.to_onnx import export_onnx
from tests.serving.running import CARD, Server, TinyPredictor, make_images, serve


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as an exported file."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    export_onnx(TinyPredictor(), CARD, make_images(64), path)
    return path


@pytest.fixture(scope="session")
def server(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service around the tiny model."""
    with serve(model_path, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    """An ordinary HTTP client of the service."""
    with httpx.Client(base_url=server.url, timeout=30) as connection:
        yield connection
