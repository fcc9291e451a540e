"""The servers of the benchmark: how each is started and asked."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.bodies import PACKINGS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
READY_S = 120.0


class Contestant(NamedTuple):
    """A server: its command from the peers' Python, the model and a port, its path and how it wants an image."""

    command: Callable[[Path, Path, int], list[str]]
    path: str
    packing: str


def _ours(_: Path, model: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "dc3.serve", str(model), "--port", str(port)]


def _bento(python: Path, _: Path, port: int) -> list[str]:
    serve = ["serve", "bento_batchable:Plain", "--host", "127.0.0.1", "--port", str(port)]
    return [str(python), "-m", "bentoml", *serve]


def _uvicorn(app: str) -> Callable[[Path, Path, int], list[str]]:
    def command(python: Path, _: Path, port: int) -> list[str]:
        quiet = ["--no-access-log", "--log-level", "warning"]
        return [str(python), "-m", "uvicorn", app, "--port", str(port), *quiet]

    return command


def _litserve(python: Path, _: Path, port: int) -> list[str]:
    return [str(python), "litserve_batch.py", "--port", str(port)]


def _mlflow(python: Path, model: Path, port: int) -> list[str]:
    # Saved anew each time, beside the model: a second or two before the server is measured.
    place = model.with_name("mlflow")
    if not place.exists():
        environment = {**os.environ, "BENCHMARK_MODEL": str(model)}
        subprocess.run([str(python), "mlflow_model.py", str(place)], cwd=HERE / "peers", env=environment, check=True)
    serve = ["-m", str(place), "--host", "127.0.0.1", "--port", str(port), "--env-manager", "local", "--workers", "1"]
    return [str(python), "-m", "mlflow", "models", "serve", *serve]


CONTESTANTS = {
    "dc3 serve": Contestant(_ours, "/predict", "raw"),
    "BentoML batchable": Contestant(_bento, "/predict", "form_images"),
    "FastAPI": Contestant(_uvicorn("fastapi_plain:app"), "/predict", "raw"),
    "FastAPI + batcher": Contestant(_uvicorn("fastapi_batcher:app"), "/predict", "raw"),
    "LitServe": Contestant(_litserve, "/predict", "form_image"),
    "mlflow models serve": Contestant(_mlflow, "/invocations", "mlflow"),
}


@contextlib.contextmanager
def running(contestant: Contestant, peers: Path, model: Path, bodies: Path) -> Iterator[str]:
    """The address to ask, of a server that answers; stopped with all its processes at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    python = peers / "bin" / "python"
    command = contestant.command(python, model, port)
    environment = {
        **os.environ,
        "BENCHMARK_MODEL": str(model),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "BENTOML_DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    ours = contestant is CONTESTANTS["dc3 serve"]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT if ours else HERE / "peers",
            env={**environment, "BENTOML_HOME": folder},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}{contestant.path}"
            if not _answers(url, contestant.packing, bodies, process):
                log.seek(0)
                raise RuntimeError(f"{' '.join(command)} does not answer:\n{log.read()[-3000:]}")
            yield url
        finally:
            _stop(process)


def _answers(url: str, packing: str, bodies: Path, process: subprocess.Popen[bytes]) -> bool:
    body = (bodies / packing / "0").read_bytes()
    request = urllib.request.Request(url, body, {"Content-Type": PACKINGS[packing].content_type})
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    with contextlib.suppress(ProcessLookupError):  # what the server started and left behind is in its group
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
