"""Many clients at once against a running service: whether a request is lost, how long an answer or a refusal takes.

python benchmarks/load.py IMAGE... --address http://127.0.0.1:3000 --clients 200 --seconds 60
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import aiohttp
import numpy as np

LOST = 0
"""In place of a status: the connection broke, or nothing came within the limit."""
ANSWER_LIMIT_S = 60.0


class Outcome(NamedTuple):
    """One request, as its client saw it."""

    start: float
    """Seconds of time.monotonic()."""
    seconds: float
    """From the first byte sent to the last byte read."""
    status: int
    """HTTP status, or LOST."""
    retry_after: str
    """The header, empty without it."""


async def load(
    address: str, bodies: Sequence[bytes], n_clients: int, seconds: float, *, patient: bool = True
) -> list[Outcome]:
    """What `n_clients` get that send `bodies` in turn, one at a time each, for `seconds`.

    A patient client waits as long as Retry-After asks; another one comes again at once. A client that cannot connect
    any more ends: the service is gone.
    """
    end = time.monotonic() + seconds
    outcomes: list[Outcome] = []
    connector = aiohttp.TCPConnector(limit=0)
    limit = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:

        async def visit(first: int) -> None:
            for body in itertools.cycle([*bodies[first:], *bodies[:first]]):
                if time.monotonic() >= end:
                    return
                outcome = await _ask(session, f"{address}/predict", body)
                if outcome is None:
                    return
                outcomes.append(outcome)
                if patient and outcome.retry_after:
                    await asyncio.sleep(min(float(outcome.retry_after), max(0.0, end - time.monotonic())))

        await asyncio.gather(*(visit(number % len(bodies)) for number in range(n_clients)))
    return outcomes


async def _ask(session: aiohttp.ClientSession, url: str, body: bytes) -> Outcome | None:
    """One request; None where nobody listens."""
    start = time.monotonic()
    try:
        # a broken connection is told and not tried again in silence, as it is for requests that change nothing
        async with session.post(url, data=body, headers={"Content-Type": "application/octet-stream"}) as response:
            await response.read()
            status, retry_after = response.status, response.headers.get("Retry-After", "")
    except aiohttp.ClientConnectorError:
        return None
    except (aiohttp.ClientError, TimeoutError, OSError):
        status, retry_after = LOST, ""
    return Outcome(start, time.monotonic() - start, status, retry_after)


def summarise(outcomes: Sequence[Outcome]) -> list[str]:
    """One line a status: how many, and the median, 99th percentile and maximum of their time in milliseconds."""
    lines = []
    for status, count in sorted(Counter(outcome.status for outcome in outcomes).items()):
        times = 1000 * np.array([outcome.seconds for outcome in outcomes if outcome.status == status])
        name = "lost" if status == LOST else str(status)
        median, late = np.percentile(times, [50, 99])
        lines.append(f"{name:>5} {count:8d}   p50 {median:8.1f} ms   p99 {late:8.1f} ms   max {times.max():8.1f} ms")
    return lines


def main() -> int:
    """Prints the summary; exit status 1 when a request was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--address", default="http://127.0.0.1:3000")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--impatient", action="store_true", help="come again at once after a refusal")
    options = parser.parse_args()
    bodies = [path.read_bytes() for path in options.images]
    outcomes = asyncio.run(
        load(options.address, bodies, options.clients, options.seconds, patient=not options.impatient)
    )
    if not outcomes:
        print(f"nobody answers at {options.address}", file=sys.stderr)
        return 2
    answered = sum(outcome.status == 200 for outcome in outcomes)
    print(f"{options.clients} clients, {options.seconds:g} s: {answered / options.seconds:.0f} answers/s")
    print("\n".join(summarise(outcomes)))
    return int(any(outcome.status == LOST for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
