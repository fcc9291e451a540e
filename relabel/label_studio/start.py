"""A Label Studio on this machine with safe settings: loopback only, nothing sent out, wrong proposals refused."""

import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from data.errors import InputError

PASSWORD, TOKEN = "password", "token"
"""Files in the data folder, readable by their owner only."""
TELLS_NOBODY = {
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_FEATURE_FLAGS_OFFLINE": "true",
}
"""What keeps it from telling others of its use (docs/privacy.md); whoever has set one of these has his way."""
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class StartOptions:
    """Where the server keeps its data and where it listens."""

    root: Path
    """Folder whose subfolders it may hand out as images: the proposals lie in it."""
    data_dir: Path
    """Database and uploads; made when missing."""
    port: int = 8080
    username: str = "dc3@localhost.localdomain"
    """Of the first user, who owns the projects; an e-mail address by form."""
    program: str = "label-studio"
    """Name or path of Label Studio's command."""


class Start(NamedTuple):
    """A server that can be started."""

    command: list[str]
    environment: dict[str, str]
    url: str


def plan_start(options: StartOptions) -> Start:
    """Makes the data folder with password and token of the first user, unless they are there; starts nothing.

    Raises InputError when Label Studio is not installed or the port is taken: it would silently take the next one.
    """
    program = shutil.which(options.program)
    if program is None:
        raise InputError(
            f"There is no command {options.program!r}. Install Label Studio into an environment of its own, it pins "
            "old versions of many packages: python -m venv label-studio && "
            "label-studio/bin/pip install label-studio==1.23.2; then give --program label-studio/bin/label-studio."
        )
    _check_port(options.port)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    environment = {
        **TELLS_NOBODY,
        **os.environ,
        **_settings(options.root.resolve()),
        "LABEL_STUDIO_USERNAME": options.username,
        "LABEL_STUDIO_PASSWORD": _keep_secret(options.data_dir / PASSWORD),
        "LABEL_STUDIO_USER_TOKEN": _keep_secret(options.data_dir / TOKEN),
        # Only takes effect when the server makes its first user: later, its settings page decides.
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    }
    # Without --internal-host it listens on all addresses. Secrets go by the environment: any user may read a command.
    command = [program, "start", "--no-browser", "--internal-host", _HOST, "--port", str(options.port)]
    command += ["--data-dir", str(options.data_dir.resolve())]
    return Start(command, environment, f"http://{_HOST}:{options.port}")


def _settings(root: Path) -> dict[str, str]:
    return {
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(root),
        # Off by default: a proposal of an unknown class is then taken and never shown.
        "fflag_feat_utc_210_prediction_validation_15082025": "true",
    }


def _keep_secret(path: Path) -> str:
    """The secret of a file, drawn at the first time."""
    if not path.is_file():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(20) + "\n")
    return path.read_text().strip()


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise InputError(f"Cannot listen on {_HOST} port {port} ({error}); choose another --port.") from error
