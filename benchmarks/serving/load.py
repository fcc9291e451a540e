"""Load on a server: wrk, one thread of it, in a process of its own."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.bodies import PACKINGS

SCRIPT = Path(__file__).with_name("post.lua")
PACED_CONNECTIONS = 64
PAUSE_S = 0.5
"""Mean pause of a paced client at the most: after 5 s without a request uvicorn closes a connection."""


class Load(NamedTuple):
    """What the clients saw."""

    images_per_s: float
    p50_ms: float
    p99_ms: float
    requests: int


def run_load(url: str, bodies: Path, packing: str, clients: int, seconds: int, rate: float = 0.0) -> Load:
    """Load of `clients` that each send the next image as soon as the last is answered.

    With a `rate` (images/s) there are up to PACED_CONNECTIONS clients instead, each of which pauses for random times
    between its requests, so that they arrive as if independent. Raises RuntimeError when a request fails: a figure of
    a server that refuses would mean nothing.
    """
    connections = min(PACED_CONNECTIONS, max(4, round(PAUSE_S * rate))) if rate else clients
    folder = bodies / packing
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url, "--"]
    command += [str(folder), str(len(list(folder.iterdir()))), PACKINGS[packing].content_type]
    command += [str(1000 * connections / rate if rate else 0)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.strip().splitlines()[-1])
    if found["bad_status"] or found["broken"] or not found["requests"]:
        raise RuntimeError(f"{url}: {found}")
    return Load(
        1e6 * found["requests"] / found["duration_us"],
        found["p50_us"] / 1000,
        found["p99_us"] / 1000,
        found["requests"],
    )
