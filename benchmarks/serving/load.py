"""Load on a server: wrk, one thread of it, in a process of its own."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from benchmarks.serving.bodies import PACKINGS

SCRIPT = Path(__file__).with_name("post.lua")
PACED_CONNECTIONS = 64
PAUSE_S = 0.5
"""Mean pause of a connection at the most: after 5 s without a request uvicorn closes it."""


class Load(NamedTuple):
    """What the clients saw."""

    images_per_s: float
    p50_ms: float
    p99_ms: float
    requests: int


def run_load(
    url: str,
    bodies: Path,
    packing: str,
    clients: int,
    seconds: int,
    rate: float = 0.0,
    arrivals: str = "even",
    seed: int = 0,
) -> Load:
    """Load of `clients` that each send the next image as soon as the last is answered.

    With a `rate` (images/s) images are sent at that rate on up to PACED_CONNECTIONS connections instead, whether the
    last ones are answered or not: 'even', one as long after the other, as load generators do, or 'random', as if
    each came from a client of its own. One `seed` gives each server the same random times, scaled to its rate. Raises
    RuntimeError when a request fails: a figure of a server that refuses would mean nothing.
    """
    connections = min(PACED_CONNECTIONS, max(4, round(PAUSE_S * rate))) if rate else clients
    folder = bodies / packing
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url, "--"]
    command += [str(folder), str(len(list(folder.iterdir()))), PACKINGS[packing].content_type]
    command += [str(1000 / rate if rate else 0), arrivals, str(seed)]
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
