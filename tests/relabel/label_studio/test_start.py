"""The command that starts a server, before it runs; the other suites start it."""

import socket
import stat
import sys
from pathlib import Path

import pytest

from data.errors import InputError
from relabel.label_studio.start import TELLS_NOBODY, StartOptions, plan_start
from tests.serving.running import free_port


def options(folder: Path, port: int = 0, program: str = sys.executable) -> StartOptions:
    """A start with its data below `folder`; any program will do, nothing is run."""
    return StartOptions(folder / "rounds", folder / "data", port or free_port(), program=program)


def test_the_server_is_for_this_machine_and_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TELLS_NOBODY:
        monkeypatch.delenv(name, raising=False)
    start = plan_start(options(tmp_path))
    place = start.command.index("--internal-host")
    assert start.command[place + 1] == "127.0.0.1"
    told = {"COLLECT_ANALYTICS": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    told |= {"LATEST_VERSION_CHECK": "false", "FEATURE_FLAGS_OFFLINE": "true"}
    assert {name: start.environment[f"LABEL_STUDIO_{name}"] for name in told} == told
    assert start.environment["LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK"] == "true"
    assert start.environment["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"] == str(tmp_path / "rounds")
    monkeypatch.setenv("LABEL_STUDIO_COLLECT_ANALYTICS", "true")
    assert plan_start(options(tmp_path)).environment["LABEL_STUDIO_COLLECT_ANALYTICS"] == "true", "as its user says"


def test_secrets_stay_the_same_are_private_and_off_the_command_line(tmp_path: Path) -> None:
    first, second = plan_start(options(tmp_path)), plan_start(options(tmp_path))
    for name, variable in (("password", "LABEL_STUDIO_PASSWORD"), ("token", "LABEL_STUDIO_USER_TOKEN")):
        file = tmp_path / "data" / name
        secret = file.read_text().strip()
        assert len(secret) == 40
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert first.environment[variable] == second.environment[variable] == secret
        assert secret not in " ".join(first.command)
    assert first.environment["LABEL_STUDIO_PASSWORD"] != first.environment["LABEL_STUDIO_USER_TOKEN"]


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} .*choose another --port"):
            plan_start(options(tmp_path, port))
    assert not (tmp_path / "data").exists()


def test_a_missing_label_studio_is_named_with_its_installation(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no command 'nowhere'.*pip install label-studio==1.23.2"):
        plan_start(options(tmp_path, program="nowhere"))
