"""The one home of MLflow: where runs are stored, what of them is recorded, how they are found again."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

# Before the import of mlflow: it reads them then. A lab's data is no business of a telemetry server.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from training.config import Config, flatten, from_json, to_json
from training.data.ingest import Dataset
from training.data.rounds import Round
from training.errors import InputError, name_some
from training.losses.dc3 import VARIANTS

CONFIG_FILE = "config.json"
_ROUND, _PARENT = "dc3.round", "dc3.parent_run"


class RunSummary(NamedTuple):
    """What the record of a finished run says."""

    run_id: str
    name: str
    config: Config
    metrics: dict[str, float]
    fingerprint: str


class RegisteredModel(NamedTuple):
    """One version of a model in the registry."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        """MLflow's address of this version."""
        return f"models:/{self.name}/{self.version}"


class RoundRun(NamedTuple):
    """A run in a chain of rounds of relabelling."""

    run_id: str
    name: str
    round: int
    """Whose votes it was trained on; 0 for raw votes."""
    metrics: dict[str, float]


class FinishedRun(NamedTuple):
    """Id and final metrics of a finished run."""

    run_id: str
    metrics: dict[str, float]


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


@contextmanager
def open_run(
    name: str, *, run_id: str | None = None, parent: str | None = None, tags: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Opens a new run (nested below `parent`), or an old one again, and yields its id; an error marks it failed."""
    connect()
    # `mlflow run` has opened a run for us already and passes its id on: it is ours unless we are a child
    inherited = None if parent else os.environ.pop("MLFLOW_RUN_ID", None)
    run_id = run_id or inherited
    all_tags = dict(tags or {}) | _code_tags()
    with mlflow.start_run(
        run_id=run_id, run_name=name, nested=parent is not None, parent_run_id=parent, tags=None if run_id else all_tags
    ) as run:
        if run_id:
            mlflow.set_tags(all_tags)
        yield run.info.run_id


def log_config(config: Config, dataset: Dataset, split_table: str) -> None:
    """Records the resolved configuration, the data's fingerprint and the split."""
    mlflow.log_text(to_json(config), CONFIG_FILE)
    mlflow.log_text(split_table, "split.csv")
    mlflow.log_params({key: str(value) for key, value in flatten(asdict(config)).items()})
    mlflow.set_tags({"dc3.fingerprint": dataset.fingerprint, "dc3.classes": ", ".join(dataset.classes)[:4000]})
    source = LocalArtifactDatasetSource(config.data.images or f"embedded:{config.data.source}")
    mlflow.log_input(MetaDataset(source, name=config.data.source, digest=dataset.fingerprint), context="training")
    if dataset.left_out:
        mlflow.log_text("\n".join(dataset.left_out), "left_out.txt")


def log_metrics(values: Mapping[str, float], step: int | None = None) -> None:
    """Records values of the open run."""
    mlflow.log_metrics(dict(values), step=step)


def log_file(path: Path, folder: str | None = None) -> None:
    """Stores a file, or all files of a folder, with the open run."""
    log = mlflow.log_artifacts if path.is_dir() else mlflow.log_artifact
    log(str(path), folder)


def set_tags(tags: Mapping[str, str]) -> None:
    """Marks the open run."""
    mlflow.set_tags(dict(tags))


def find_run(run_id: str) -> Run:
    """The record of a run; raises InputError when there is none."""
    try:
        return connect().get_run(run_id)
    except MlflowException as error:
        raise InputError(
            f"No run {run_id} in {mlflow.get_tracking_uri()}: take an id that `mlflow ui`"
            " lists, or set MLFLOW_TRACKING_URI."
        ) from error


def has_file(run_id: str, name: str) -> bool:
    """Whether a file is stored with a run."""
    return name in {file.path for file in connect().list_artifacts(run_id)}


def fetch_file(run_id: str, name: str) -> Path:
    """A file of a run, downloaded when the artifacts are not on this machine."""
    run = find_run(run_id)
    try:
        return Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=name))
    except (MlflowException, OSError) as error:
        raise InputError(
            f"Run {run_id} has no {name}: it did not get that far; go on by `dc3 train --resume {run_id}`."
        ) from error


def load_config(run_id: str) -> Config:
    """The resolved configuration of a run."""
    return from_json(fetch_file(run_id, CONFIG_FILE).read_text())


def summarise(run_id: str) -> RunSummary:
    """Name, configuration, metrics and data of a run."""
    run = find_run(run_id)
    fingerprint = run.data.tags.get("dc3.fingerprint", "")
    return RunSummary(run_id, run.info.run_name, load_config(run_id), dict(run.data.metrics), fingerprint)


def tag_round(merged: Round) -> dict[str, str]:
    """Tags of a run that is trained on the votes of a round: they chain it to the run that proposed."""
    return {_ROUND: str(merged.number), _PARENT: merged.parent_run}


def round_of(run_id: str) -> int:
    """The round of relabelling that a run's votes came from, 0 for raw votes."""
    return int(find_run(run_id).data.tags.get(_ROUND, 0))


def list_rounds(run_id: str) -> list[RoundRun]:
    """The chain of runs that leads to this one, the first round's votes first.

    Raises InputError where a run of the chain is not in this store.
    """
    chain: list[RoundRun] = []
    while run_id:
        run = find_run(run_id)
        tags = run.data.tags
        chain.append(RoundRun(run_id, run.info.run_name, int(tags.get(_ROUND, 0)), dict(run.data.metrics)))
        run_id = tags.get(_PARENT, "")
    return chain[::-1]


def finished_children(parent: str) -> dict[str, FinishedRun]:
    """The finished trainings nested below a run, by name."""
    client = connect()
    query = f"attributes.status = 'FINISHED' and tags.mlflow.parentRunId = '{parent}' and tags.`dc3.kind` = 'train'"
    runs = client.search_runs([find_run(parent).info.experiment_id], query)
    return {run.info.run_name: FinishedRun(run.info.run_id, dict(run.data.metrics)) for run in runs}


def best_run() -> str:
    """Id of the run with the lowest d - F1 on validation, not degenerate, on the data of the newest run.

    Only variants that predict the ambiguity count: another model could not tell which image to cluster.
    """
    client = connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query = "attributes.status = 'FINISHED' and tags.`dc3.kind` = 'train'"
    newest = client.search_runs(experiments, query, max_results=1, order_by=["attributes.start_time DESC"])
    if not newest:
        raise InputError(
            f"No finished training in {mlflow.get_tracking_uri()}: start with `dc3 train --preset digits`."
        )
    fingerprint = newest[0].data.tags["dc3.fingerprint"]
    blind = [name for name, variant in VARIANTS.items() if not variant.ambiguity_aware]
    aware = "".join(f" and params.variant != '{name}'" for name in blind)
    found = client.search_runs(
        experiments,
        f"{query} and tags.`dc3.fingerprint` = '{fingerprint}' and metrics.degenerate = 0{aware}",
        order_by=["metrics.d_minus_f1 ASC"],
        max_results=1,
    )
    if not found:
        raise InputError(
            "No finished run on these data that is not degenerate: raise the steps or change the prior,"
            " and train again."
        )
    return found[0].info.run_id


def register_onnx(run_id: str, model: Path, name: str) -> str:
    """Registers an exported model with its signature; the best version on the same data carries the alias champion.

    Returns the version number.
    """
    import onnx

    connect()
    with mlflow.start_run(run_id=run_id):
        info = mlflow.onnx.log_model(
            onnx.load(model),
            name="model",
            signature=_onnx_signature(model),
            registered_model_name=name,
            onnx_execution_providers=["CPUExecutionProvider"],
            save_as_external_data=False,
        )
    client = MlflowClient()
    version = str(info.registered_model_version)
    if _beats_champion(client, name, client.get_run(run_id)):
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
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise InputError(f"The registry {mlflow.get_registry_uri()} did not answer: {error}") from error
        known = [model.name for model in client.search_registered_models()]
        raise InputError(
            f"No model {uri} in {mlflow.get_registry_uri()}: registered are {name_some(known) or 'none'};"
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


def _beats_champion(client: MlflowClient, name: str, run: Run) -> bool:
    """Whether a run may take the alias: on the champion's data with a lower d - F1, or as the first one.

    Figures on other data say nothing: there the user moves the alias by hand.
    """
    if run.data.metrics["degenerate"]:
        return False
    try:
        champion = client.get_run(client.get_model_version_by_alias(name, "champion").run_id)
    except MlflowException:
        return True
    same_data = run.data.tags["dc3.fingerprint"] == champion.data.tags["dc3.fingerprint"]
    return same_data and run.data.metrics["d_minus_f1"] < champion.data.metrics["d_minus_f1"]


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


def _code_tags() -> dict[str, str]:
    """Commit of the code and whether it was changed since; empty outside a git checkout."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True, stderr=subprocess.DEVNULL)
        changed = subprocess.check_output(["git", "status", "--porcelain"], cwd=folder, text=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"mlflow.source.git.commit": commit.strip(), "dc3.uncommitted_changes": str(bool(changed.strip())).lower()}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for files on their way into the store."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
