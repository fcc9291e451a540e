"""Where runs are stored: a tracking server, or the embedded store below `mlruns/`."""

import os
from pathlib import Path

import mlflow
import sqlalchemy
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from data.errors import InputError
from training.track.moved import adopt_artifacts

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"
_PACKAGES = {
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "psycopg": "'psycopg[binary]'",
}
"""What pip calls a driver where it is not called as its module is."""


def store() -> Path:
    """The folder of all embedded stores: DC3_STORE, or mlruns in the working directory."""
    return Path(os.environ.get("DC3_STORE") or "mlruns").resolve()


def sqlite_address(database: Path) -> str:
    """SQLAlchemy's address of a SQLite file, whatever its path holds.

    A path with # ? or % must be quoted, and MLflow 3.17 then makes an empty folder of the quoted name, except where
    the address names the driver.
    """
    if not set("#?%") & set(str(database)):
        return f"sqlite:///{database}"
    return sqlalchemy.URL.create("sqlite+pysqlite", database=str(database)).render_as_string()


def store_name() -> str:
    """Address of the store in use, for messages."""
    return hide_password(mlflow.get_tracking_uri())


def hide_password(address: str) -> str:
    """The address of a store with *** in place of its password."""
    try:
        return sqlalchemy.make_url(address).render_as_string(hide_password=True)
    except SQLAlchemyError:  # a path
        return address


def reason_of(error: Exception) -> str:
    """First line of what MLflow or its database says, without the password of an address that they repeat."""
    reason = str(error).partition("\n")[0]
    for address in (mlflow.get_tracking_uri(), mlflow.get_registry_uri()):
        reason = reason.replace(address, hide_password(address))
    return reason


def check_driver(address: str) -> None:
    """Raises InputError where a database's address needs a Python module that is not installed."""
    try:
        url = sqlalchemy.make_url(address)
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:  # a server, or a kind of database that MLflow names itself
        return
    except ImportError as error:
        module = (error.name or str(error)).partition(".")[0]
        raise InputError(
            f"{hide_password(address)} cannot be opened: its driver, the Python module {module}, is not installed;"
            f" pip install {_PACKAGES.get(module, module)}, or name a driver that you have,"
            f" as {url.get_backend_name()}+DRIVER://."
        ) from error
    except (SQLAlchemyError, NotImplementedError):  # a path
        return


def connect() -> MlflowClient:
    """Points MLflow at MLFLOW_TRACKING_URI or the embedded store, and at the project's experiment.

    Raises InputError when the server does not answer, its driver lacks, or the store cannot be opened.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        store().mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(sqlite_address(store() / DATABASE))
    for address in {mlflow.get_tracking_uri(), mlflow.get_registry_uri()}:
        check_driver(address)
    if _is_embedded():
        adopt_artifacts(store() / DATABASE, store() / ARTIFACTS)
    try:
        if not os.environ.get("MLFLOW_EXPERIMENT_ID"):
            _enter_experiment(os.environ.get("DC3_EXPERIMENT", "dc3"))
        return MlflowClient()
    except (MlflowException, SQLAlchemyError) as error:
        raise InputError(
            f"The runs in {store_name()} cannot be reached ({reason_of(error)}): see to its server or file, "
            "or name another one by MLFLOW_TRACKING_URI or DC3_STORE."
        ) from error


def _is_embedded() -> bool:
    """Whether the address in use is that of the embedded store, which MLflow puts into MLFLOW_TRACKING_URI itself."""
    try:
        url = sqlalchemy.make_url(mlflow.get_tracking_uri())
    except SQLAlchemyError:
        return False
    return url.get_backend_name() == "sqlite" and Path(url.database or "").resolve() == store() / DATABASE


def _enter_experiment(name: str) -> None:
    if mlflow.get_experiment_by_name(name) is None:
        # a tracking server has its own artifact root; the embedded store keeps its artifacts beside its database
        local = mlflow.get_tracking_uri().startswith("sqlite")
        mlflow.create_experiment(name, (store() / ARTIFACTS).as_uri() if local else None)
    mlflow.set_experiment(name)
