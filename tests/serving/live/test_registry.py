"""A model of the registry is served, and a new champion takes over without losing a request."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from dc3 import serve as serve_command
from serving.live.registry import RegistryCopy, follow
from tests.data.images.test_decoding import encode
from tests.serving.running import ROOT, Server, free_port, make_images, serve
from tests.serving.test_service import command_line, workers
from tests.stores import clean_environment
from tests.threads import join_threads, start_thread

GOOD = encode(Image.fromarray(make_images(1)[0]), "PNG")

# Other processes, as MLflow's imports warn; `register_onnx` gives the better run the alias.
_REGISTER = """
import sys
from dataclasses import replace
from pathlib import Path
from serving.export.to_onnx import export_onnx
from tests.serving.running import CARD, TinyPredictor, make_images
from training import track
path = Path(sys.argv[1])
for right in (0.2, 0.5):
    with track.open_run("owls", tags={"dc3.kind": "train", "dc3.fingerprint": "f00d"}) as run_id:
        track.log_metrics({"degenerate": 0, "d_minus_f1": 0.1, "proposals_right": right})
    export_onnx(TinyPredictor(), replace(CARD, run_id=run_id), make_images(4), path)
    print(track.register_onnx(run_id, path, "owls"))
"""
_SERVE_EACH = """
import sys
from dc3.serve import main
sys.stderr = sys.stdout
for uri in sys.argv[2:]:
    assert main([uri, "--port", sys.argv[1]]) == 2
"""
_MOVE_ALIAS = """
import sys
from training import track
track.connect().set_registered_model_alias("owls", "champion", sys.argv[1])
"""


def execute(code: str, store: Path, *arguments: str) -> str:
    """Output of a script that works on the store."""
    environment = clean_environment() | {"DC3_STORE": str(store), "DC3_EXPERIMENT": "test", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Crowd:
    """Clients that ask without a pause, and what they got."""

    def __init__(self, server: Server, count: int) -> None:
        self.statuses: list[int | str] = []
        self.versions: set[str] = set()
        self._server = server
        self._stop = threading.Event()
        self._count = count
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "Crowd":
        self._threads = [start_thread(self._ask) for _ in range(self._count)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        join_threads(*self._threads, waits_for=self._server.log.read_text)

    def wait_for(self, version: str) -> None:
        """Waits up to 30 s until `version` has answered."""
        end = time.monotonic() + 30
        while version not in self.versions:
            assert time.monotonic() < end, f"{version} never answered: {self._server.log.read_text()}"
            time.sleep(0.05)

    def _ask(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._stop.is_set():
                try:
                    response = client.post(f"{self._server.url}/predict", content=GOOD)
                    self.statuses.append(response.status_code)
                    self.versions.add(response.json()["answers"][0]["model_version"])
                except Exception as error:
                    self.statuses.append(repr(error))
                    raise


@pytest.fixture(scope="module")
def registry(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two versions of the model owls; the second is the champion."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(migrated_database, folder / "mlflow.db")
    assert execute(_REGISTER, folder, str(folder / "model.onnx")).split() == ["1", "2"]
    return folder


@pytest.mark.slow
def test_a_new_champion_takes_over_without_losing_a_request(registry: Path, tmp_path: Path) -> None:
    environment = {"DC3_STORE": str(registry), "DC3_EXPERIMENT": "test", "DC3_RELOAD_S": "0.3"}
    with (
        serve("models:/owls@champion", tmp_path, "--workers", "2", absent=False, **environment) as server,
        Crowd(server, 8) as crowd,
    ):
        crowd.wait_for("models:/owls/2")
        execute(_MOVE_ALIAS, registry, "1")
        crowd.wait_for("models:/owls/1")
        assert httpx.get(f"{server.url}/model").json()["model_version"].startswith("models:/owls/")
        # MLflow is the parent's; what answers has none of it
        served = [pid for pid in workers(server.pid) if "_bentoml_impl.worker" in command_line(pid)]
        assert len(served) == 2
        assert not any("libtorch" in Path(f"/proc/{pid}/maps").read_text() for pid in served)
    assert crowd.versions == {"models:/owls/1", "models:/owls/2"}
    assert len(crowd.statuses) > 100
    assert set(crowd.statuses) == {200}


@pytest.mark.slow
def test_a_model_that_is_not_registered_is_named(registry: Path) -> None:
    uris = ("models:/owl@champion", "models:/owls@challenger", "models:/owls/7", "models:/owls")
    lines = execute(_SERVE_EACH, registry, str(free_port()), *uris).splitlines()
    assert len(lines) == 4
    for uri, line in zip(uris[:3], lines[:3], strict=True):
        assert line.startswith(f"dc3 serve: No model {uri} in sqlite:")
        assert "registered are owls;" in line
    assert lines[3] == (
        "dc3 serve: A registered model is named models:/NAME@ALIAS or models:/NAME/VERSION, not 'models:/owls'."
    )


def test_the_serving_image_says_what_a_registered_model_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "training", None)
    assert serve_command.main(["models:/owls@champion", "--port", str(free_port())]) == 2
    assert "models:/owls@champion needs MLflow and the training code" in capsys.readouterr().err


class Registry:
    """A registry of texts in place of models, for the copy's own rules."""

    def __init__(self) -> None:
        self.version = "1"
        self.broken = False
        self.fetched: list[str] = []

    def find(self) -> str:
        """The version that it means."""
        if self.broken:
            raise ConnectionError("the registry is away")
        return self.version

    def fetch(self, version: str, folder: Path) -> Path:
        """Writes the version's text."""
        self.fetched.append(version)
        (folder / "model").write_text(version)
        return folder / "model"


def refuse_bad(path: Path) -> None:
    """Takes every text but 'bad'."""
    if path.read_text() == "bad":
        raise ValueError("bad cannot be served")


def test_a_version_is_fetched_once_and_a_bad_one_never_gets_there(tmp_path: Path) -> None:
    registry, path = Registry(), tmp_path / "model"
    copy = RegistryCopy(path, registry.find, registry.fetch, refuse_bad)
    assert [copy.update(), copy.update()] == [True, False]
    registry.version = "bad"
    with pytest.raises(ValueError, match="bad cannot be served"):
        copy.update()
    assert not copy.update()
    assert path.read_text() == "1"
    registry.version = "2"
    assert copy.update()
    assert (path.read_text(), registry.fetched) == ("2", ["1", "bad", "2"])
    assert list(tmp_path.iterdir()) == [path]


def test_a_registry_that_is_away_is_told_once_and_awaited(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry, path = Registry(), tmp_path / "model"
    copy = RegistryCopy(path, registry.find, registry.fetch, refuse_bad)
    copy.update()
    registry.broken, registry.version = True, "2"
    with follow(copy, every_s=0.01):
        wait_until(lambda: "the registry is away" in caplog.text)
        time.sleep(0.1)
        assert caplog.text.count("the registry is away") == 1
        assert path.read_text() == "1"
        registry.broken = False
        wait_until(lambda: path.read_text() == "2")


def wait_until(holds: Callable[[], bool]) -> None:
    """Waits up to 5 s."""
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
