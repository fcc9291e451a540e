"""What a test that opens a store of its own must clear away first."""

import os

import pytest


def forget_mlflow(patch: pytest.MonkeyPatch) -> None:
    """MLflow leaves the number of an experiment in the environment, which another store does not know."""
    for key in [key for key in os.environ if key.startswith("MLFLOW_") and key != "MLFLOW_DISABLE_TELEMETRY"]:
        patch.delenv(key)
