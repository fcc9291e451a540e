"""Where runs are stored: a tracking server, or the embedded store below `mlruns/`."""

import os
from pathlib import Path

import mlflow
import sqlalchemy
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from training.errors import InputError


def store() -> Path:
    """The folder of all embedded stores: DC3_STORE, or mlruns in the working directory."""
    return Path(os.environ.get("DC3_STORE", "mlruns")).resolve()


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


def connect() -> MlflowClient:
    """Points MLflow at MLFLOW_TRACKING_URI or the embedded store, and at the project's experiment.

    Raises InputError when the server does not answer, or the store cannot be opened.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        store().mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{store()}/mlflow.db")
    try:
        if not os.environ.get("MLFLOW_EXPERIMENT_ID"):
            _enter_experiment(os.environ.get("DC3_EXPERIMENT", "dc3"))
        return MlflowClient()
    except (MlflowException, SQLAlchemyError) as error:
        raise InputError(
            f"The runs in {store_name()} cannot be reached ({reason_of(error)}): see to its server or file, "
            "or name another one by MLFLOW_TRACKING_URI or DC3_STORE."
        ) from error


def _enter_experiment(name: str) -> None:
    if mlflow.get_experiment_by_name(name) is None:
        # a tracking server has its own artifact root; the embedded store keeps its artifacts beside its database
        local = mlflow.get_tracking_uri().startswith("sqlite")
        mlflow.create_experiment(name, f"file:{store()}/artifacts" if local else None)
    mlflow.set_experiment(name)
