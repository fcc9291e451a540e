"""Where a study and its pictures are kept: an embedded SQLite file, or any Optuna store by its URL."""

import re
import shlex
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy
from optuna.artifacts import FileSystemArtifactStore
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy.engine.interfaces import DBAPIConnection

from data.errors import InputError
from training import track
from training.config import Config
from tuning.options import StudyOptions

MAX_RETRY = 2
"""Times that a trial is run again after its worker was killed."""
CREATORS = 4
"""Attempts to open a store: each table that another worker makes at the same moment costs one."""
SQLITE_WAIT_S = 60
"""Workers write at the same time, and SQLite lets one write after the other."""


def study_name(options: StudyOptions, config: Config) -> str:
    """The given name, or one made of data, method and variant; raises InputError when no file may be called so."""
    name = options.study or f"{config.data.source}-{config.method}-{config.variant}"
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise InputError(f"--study {name!r} also names a file: use letters, digits, '.', '_', '+' and '-' only.")
    return name


def storage_url(options: StudyOptions) -> str:
    """The given URL, or that of the embedded store."""
    return options.storage or track.sqlite_address(track.store() / "optuna.db")


def artifact_folder() -> Path:
    """Where the dashboard's pictures lie; workers on several machines need it on a shared disk."""
    folder = track.store() / "optuna"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def artifact_store() -> FileSystemArtifactStore:
    """The dashboard's pictures."""
    return FileSystemArtifactStore(str(artifact_folder()))


def dashboard_command(options: StudyOptions) -> str:
    """The command that shows the store on loopback; a password of the URL is left out."""
    url = sqlalchemy.make_url(storage_url(options)).render_as_string(hide_password=True)
    return shlex.join(["optuna-dashboard", url, "--artifact-dir", str(artifact_folder()), "--host", "127.0.0.1"])


def open_storage(options: StudyOptions) -> RDBStorage:
    """Connects to the store, with heartbeats; raises InputError when it cannot be reached."""
    if not 0 < options.heartbeat < options.grace:
        raise InputError(
            f"--heartbeat {options.heartbeat} must be above 0 and below --grace {options.grace} (seconds)."
        )
    track.store().mkdir(parents=True, exist_ok=True)
    track.check_driver(storage_url(options))
    for _ in range(CREATORS):
        try:
            return _connect(storage_url(options), options)
        except (
            sqlalchemy.exc.OperationalError,
            sqlalchemy.exc.ProgrammingError,
            sqlalchemy.exc.IntegrityError,
        ) as error:
            # workers that begin together make the tables together: all but one fail once
            fault: Exception = error
            time.sleep(0.5)
        except (ImportError, sqlalchemy.exc.SQLAlchemyError, RuntimeError) as error:
            fault = error
            break
    reason = str(fault.__cause__ or fault).strip().splitlines()[0]
    raise InputError(
        "The Optuna store cannot be opened: --storage must be a URL of SQLAlchemy, such as "
        f"sqlite:///file.db or postgresql+psycopg://host/name (pip install 'dc3[postgres]'). {reason}"
    ) from fault


def _connect(url: str, options: StudyOptions) -> RDBStorage:
    sqlite = sqlalchemy.make_url(url).get_backend_name() == "sqlite"
    with allow_experimental():
        storage = RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": SQLITE_WAIT_S} if sqlite else {}, "pool_pre_ping": True},
            heartbeat_interval=options.heartbeat,
            grace_period=options.grace,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=MAX_RETRY),
        )
    if sqlite:
        _serialise(storage.engine)
    return storage


def _serialise(engine: sqlalchemy.Engine) -> None:
    """Lets a transaction begin with the lock to write: SQLite ignores SELECT ... FOR UPDATE.

    Without it two workers take the same waiting trial (seen with Optuna 5.0.0), and the slower one dies of it.
    """

    def begin_by_hand(connection: DBAPIConnection, _: object) -> None:
        connection.isolation_level = None

    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    sqlalchemy.event.listen(engine, "connect", begin_by_hand)
    sqlalchemy.event.listen(engine, "begin", begin)
    engine.dispose()


@contextmanager
def allow_experimental() -> Iterator[None]:
    """Heartbeats, metric names and the multivariate sampler warn that they may change; the lock file holds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield
