"""Servers of a demo are stopped, also one that will not end."""

import subprocess
import sys

from dc3.steps import stop_server

SERVER = "import signal, sys, time; signal.signal(15, {on_term}); print('ready', flush=True); time.sleep(60)"


def start(on_term: str) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([sys.executable, "-c", SERVER.format(on_term=on_term)], stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    return server


def test_a_server_ends_in_order() -> None:
    server = start("lambda *_: sys.exit(3)")
    stop_server(server)
    assert server.returncode == 3


def test_one_that_does_not_end_is_killed() -> None:
    server = start("signal.SIG_IGN")
    stop_server(server, 0.2)
    assert server.returncode == -9
