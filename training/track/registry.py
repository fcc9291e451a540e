"""MLflow's model registry: exported models under a name, the best of them with the alias champion."""

import json
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from data.errors import InputError, name_some
from data.quality import describe_quality
from training.evaluate.choice import is_choosable, merit
from training.options import By
from training.track.best import figures_of, validation_of
from training.track.connection import connect, hide_password, reason_of
from training.track.run_log import FINGERPRINT


class RegisteredModel(NamedTuple):
    """One version of a model in the registry."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        """MLflow's address of this version."""
        return f"models:/{self.name}/{self.version}"


def check_model_name(name: str) -> None:
    """Raises InputError for a name that the registry would refuse, or that `models:/NAME@ALIAS` could not tell."""
    if not re.fullmatch(r"[^/:@]{1,256}", name):
        raise InputError(f"A model's name in the registry has up to 256 characters, none of them / : @, not {name!r}.")


def register_onnx(
    run_id: str,
    model: Path,
    name: str,
    by: By = "proposals_right",
    on_notice: Callable[[str], None] = lambda notice: None,
) -> str:
    """Registers an exported model with its signature; the best version on the same data carries the alias champion.

    Returns the version number.

    Args:
        by: what the best is chosen by.
        on_notice: gets why a version does not take the alias.
    """
    import onnx

    client = connect()
    run = client.get_run(run_id)
    info = mlflow.onnx.log_model(
        onnx.load(model),
        name="model",
        signature=_onnx_signature(model),
        registered_model_name=name,
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
        # given: MLflow would guess them by loading the model in another process, which takes 3 s
        pip_requirements=_list_requirements(),
        run_id=run_id,  # by its id: to open the run again would write its end anew
        step=int(run.data.params.get("steps", 0)),  # whose metrics the model gets: the final ones
    )
    version = str(info.registered_model_version)
    obstacle = _find_obstacle(client, name, run, by)
    if obstacle:
        on_notice(f"{name} version {version} is not the champion: {obstacle}")
    else:
        client.set_registered_model_alias(name, "champion", version)
    return version


def resolve_model(uri: str) -> RegisteredModel:
    """The version that `models:/NAME@ALIAS` or `models:/NAME/VERSION` means now; raises InputError for none."""
    form = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))", uri)
    if form is None:
        raise InputError(f"A registered model is named models:/NAME@ALIAS or models:/NAME/VERSION, not {uri!r}.")
    name, alias, version = form.groups()
    connect()
    client = MlflowClient()
    try:
        found = client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, version)
    except MlflowException as error:
        registry = hide_password(mlflow.get_registry_uri())
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise InputError(f"The registry {registry} did not answer: {reason_of(error)}") from error
        known = [model.name for model in client.search_registered_models()]
        raise InputError(
            f"No model {uri} in {registry}: registered are {name_some(known) or 'none'};"
            " `dc3 train --register NAME` registers one, and MLFLOW_TRACKING_URI names the store."
        ) from error
    return RegisteredModel(found.name, str(found.version))


def fetch_model(model: RegisteredModel, folder: Path) -> Path:
    """Copies the ONNX file of a registered model into `folder`; raises InputError when it has none.

    Its metadata get `registered`, so that whoever serves it can say which version answers.
    """
    import onnx

    try:
        downloaded = Path(mlflow.artifacts.download_artifacts(model.uri, dst_path=str(folder)))
    except (MlflowException, OSError) as error:
        raise InputError(f"The files of {model.uri} cannot be fetched: {error}") from error
    found = downloaded / "model.onnx"
    if not found.is_file():
        raise InputError(f"{model.uri} is no ONNX model: register one by `dc3 train --register {model.name}`.")
    network = onnx.load(found)
    onnx.helper.set_model_props(
        network,
        {entry.key: entry.value for entry in network.metadata_props} | {"registered": json.dumps(model.uri)},
    )
    onnx.save(network, found)
    return found


def _find_obstacle(client: MlflowClient, name: str, run: Run, by: By) -> str:
    """Why a run does not take the alias; empty where it does: as the first, or better than the champion.

    Figures of other data or other validation images say nothing: there the user moves the alias by hand.
    """
    figures = figures_of(run)
    if not is_choosable(figures, by):
        return f"it has no {by} to be chosen by, or is degenerate"
    if describe_quality(figures).proposals_help is False:
        return "its proposals are no better than the commonest class"
    try:
        champion = client.get_run(client.get_model_version_by_alias(name, "champion").run_id)
    except MlflowException:
        return ""
    by_hand = "; move the alias by hand if you want to"
    if run.data.tags[FINGERPRINT] != champion.data.tags.get(FINGERPRINT):
        return f"the champion was trained on other data{by_hand}"
    if validation_of(run) != validation_of(champion):
        return f"the champion was measured on other validation images{by_hand}"
    theirs = figures_of(champion)
    if not is_choosable(theirs, by):
        return f"the champion has no {by} to compare with{by_hand}"
    if merit(figures, by) <= merit(theirs, by):
        return f"{by} {figures[by]:.4f} is no better than the champion's {theirs[by]:.4f}"
    return ""


def _list_requirements() -> list[str]:
    """What answers with a registered model needs, at the versions of this machine; MLflow adds itself."""
    return [
        f"{package.metadata['Name']}=={package.version}"
        for name in ("numpy", "onnx", "onnxruntime", "onnxruntime-gpu")
        for package in metadata.distributions(name=name)
    ]


def _onnx_signature(model: Path) -> "mlflow.models.ModelSignature":
    import onnx
    from mlflow.types import Schema, TensorSpec

    graph = onnx.load(model, load_external_data=False).graph

    def schema(values: object) -> Schema:
        specs = []
        for value in values:  # type: ignore[attr-defined]
            kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            shape = tuple(side.dim_value or -1 for side in value.type.tensor_type.shape.dim)
            specs.append(TensorSpec(kind, shape, name=value.name))
        return Schema(specs)

    return mlflow.models.ModelSignature(inputs=schema(graph.input), outputs=schema(graph.output))
