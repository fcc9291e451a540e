"""Where runs are stored: a tracking server, or the embedded store below `mlruns/`."""

import os
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient


def store() -> Path:
    """The folder of all embedded stores: DC3_STORE, or mlruns in the working directory."""
    return Path(os.environ.get("DC3_STORE", "mlruns")).resolve()


def connect() -> MlflowClient:
    """Points MLflow at MLFLOW_TRACKING_URI or the embedded store, and at the project's experiment."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        store().mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(f"sqlite:///{store()}/mlflow.db")
    if not os.environ.get("MLFLOW_EXPERIMENT_ID"):
        name = os.environ.get("DC3_EXPERIMENT", "dc3")
        if mlflow.get_experiment_by_name(name) is None:
            # a tracking server has its own artifact root; the embedded store keeps its artifacts beside its database
            local = mlflow.get_tracking_uri().startswith("sqlite")
            mlflow.create_experiment(name, f"file:{store()}/artifacts" if local else None)
        mlflow.set_experiment(name)
    return MlflowClient()
