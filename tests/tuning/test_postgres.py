"""Workers on one PostgreSQL store: a real server, started here on a loopback port."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest

from dc3.tune import main
from tuning.options import StudyOptions
from tuning.storage import open_storage

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """URL of an empty database; skips loudly where no server can be started."""
    pytest.importorskip("psycopg", reason="NO POSTGRESQL TEST: pip install 'psycopg[binary]'")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")) or [Path(shutil.which("pg_ctl") or "")]
    if not programs[-1].is_file():
        pytest.skip("NO POSTGRESQL TEST: no pg_ctl; apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="dc3-postgres-"))
    # the server refuses to run as root
    prefix = []
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("NO POSTGRESQL TEST: it refuses to run as root, and there is no user postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def call(program: str, *options: str) -> None:
        command = [*prefix, str(programs[-1].with_name(program)), *options]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    call("initdb", "--pgdata", data, "--auth=trust", "--username=dc3", "--encoding=UTF8", "--no-sync")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    call("pg_ctl", "--pgdata", data, "--wait", "--log", str(folder / "log"), "-o", settings, "start")
    try:
        yield f"postgresql+psycopg://dc3@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "--pgdata", data, "--mode=immediate", "stop")
        shutil.rmtree(folder)


@pytest.mark.slow
def test_workers_started_by_hand_share_a_postgresql_study(
    store: Path, postgres: str, tiny_options: list[str], start_worker: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    other = start_worker("--trials", "3", "--storage", postgres)
    assert main([*tiny_options, "--trials", "3", "--storage", postgres]) == 0
    theirs, ours = other.communicate(timeout=120)[0], capsys.readouterr().out
    assert other.returncode == 0, theirs
    storage = open_storage(StudyOptions("s", postgres))
    states = [trial.state.name for trial in optuna.load_study(study_name="s", storage=storage).trials]
    storage.engine.dispose()
    assert states.count("COMPLETE") == 3
    (chosen,) = re.findall("^chosen .*", ours, re.MULTILINE)
    assert chosen in theirs
    assert "postgresql+psycopg://dc3@127.0.0.1" in ours
