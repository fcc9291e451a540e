"""The steps of a demo: verbs run as a user would type them, and servers that are waited for."""

import shlex
import socket
import subprocess
import sys
import time
import urllib.request

from data.errors import InputError


def run_verb(*arguments: str) -> list[str]:
    """Runs one verb in a process of its own, shows what it prints, and returns the lines.

    Raises InputError when it fails; its own message stands above then.
    """
    print(f"\n$ dc3 {shlex.join(arguments)}", flush=True)
    lines = []
    with subprocess.Popen([sys.executable, "-m", "dc3", *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise InputError(f"`dc3 {arguments[0]}` stopped with status {process.returncode}; its message stands above.")
    return lines


def train_run(*arguments: str) -> str:
    """Trains as `run_verb` does, and returns the id of the run."""
    return next(line.split()[1] for line in run_verb("train", *arguments) if line.startswith("run "))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(address: str, server: subprocess.Popen[bytes], limit_s: float, by_hand: str) -> None:
    """Returns as soon as the address answers; raises InputError when the server stops or is not ready in time."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if server.poll() is not None:
            raise InputError(f"The server stopped with status {server.returncode}; start it by hand: {by_hand}.")
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:
            time.sleep(0.3)
    raise InputError(f"The server was not ready within {limit_s:.0f} s; start it by hand: {by_hand}.")


def stop_server(server: subprocess.Popen[bytes], limit_s: float = 30) -> None:
    """Ends a server in order; one that has not ended in time is killed, so that nothing is waited for without end."""
    server.terminate()
    try:
        server.wait(limit_s)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
