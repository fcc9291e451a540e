"""One training from configuration to predictions, all of it recorded."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np
import torch

from data.clusters import caption_clusters
from data.predictions import Predictions, read_predictions, write_predictions
from data.votes.rounds import read_round
from training import track
from training.batches.data_record import DataRecord, record_data
from training.batches.votes_used import count_used
from training.config import Config
from training.evaluate.metrics import evaluate, evaluate_part
from training.evaluate.predict import Predictor
from training.evaluate.right import commonest_class
from training.learning import prepare_learning
from training.loop.checkpoint import load_checkpoint
from training.loop.fit import Losses
from training.loop.runtime import choose_device, choose_execution, uses_bf16
from training.losses.dc3 import VARIANTS
from training.networks import build_network
from training.run_backbone import rebuild_network
from training.run_data import read_data, recall_data
from training.run_report import record_report
from training.sorting import predicts_ambiguity
from training.sorting.apply import fit_sorting, sort_predictions
from training.sorting.network import NetworkSorting
from training.sorting.stored import read_sorting, write_sorting

CHECKPOINT = "checkpoint.pt"
PREDICTIONS = track.PREDICTIONS_FILE
SORTING = "sorting.pt"


class TrainResult(NamedTuple):
    """What a finished training hands on."""

    run_id: str
    metrics: dict[str, float]
    """On validation; with the prefix test_ on the test part, where there is one."""
    seconds: float
    predictions: Path
    report: Path
    """The run's page; it exists where a report was asked for."""
    left_out: tuple[str, ...]
    """One line for each image that was skipped as unreadable."""
    fingerprint: str
    """Of the data it saw."""
    notices: tuple[str, ...]
    """What a person should know of the data, one line each."""


class TrainedRun(NamedTuple):
    """A finished run, loaded again from its record alone."""

    run_id: str
    config: Config
    predictor: Predictor
    predictions: Predictions
    data: DataRecord
    captions: tuple[str, ...]
    """(k') one a cluster."""
    metrics: dict[str, float]


def train(
    config: Config,
    *,
    name: str = "",
    run_id: str | None = None,
    repeat: str | None = None,
    parent: str | None = None,
    tags: dict[str, str] | None = None,
    on_eval: Callable[[int, dict[str, float]], None] | None = None,
    on_notice: Callable[[str], None] = lambda notice: None,
    show_progress: bool = True,
    with_report: bool = True,
) -> TrainResult:
    """Trains one network and records it in MLflow.

    Args:
        run_id: an unfinished run to go on with from its last checkpoint.
        repeat: a run whose data and split are taken; this one is another run.
        parent: the run to nest this one below (`dc3 compare`, `dc3 tune`).
        on_eval: gets step and validation metrics at each evaluation; may raise to stop the training.
        on_notice: gets each notice of the data, before the training; they are recorded with the run as well.

    Raises InputError, among others, where the run to go on with is finished or the data of an earlier run changed.
    """
    if run_id:
        track.check_unfinished(run_id, "train")
        name = name or track.name_of(run_id)
    config = resolve(config)
    earlier = run_id or repeat
    dataset, split = recall_data(earlier, config) if earlier else read_data(config)
    aware, seed = VARIANTS[config.variant].ambiguity_aware, config.runtime.seed
    for notice in dataset.notices:
        on_notice(notice)
    # what cannot be trained fails before a run is opened
    learning = prepare_learning(config, dataset, split, earlier=earlier, show_progress=show_progress)
    name = name or f"{config.method} {config.variant} {config.data.source}"
    resumes = run_id is not None
    merged = read_round(Path(config.data.votes))
    used = count_used(dataset.counts, split.part_names(len(dataset.names)), config.split.labels)
    own = {"dc3.kind": "train", "dc3.votes_used": used.short}
    tags = own | (track.tag_round(merged) if merged else {}) | (tags or {})
    with track.open_run(name, run_id=run_id, parent=parent, tags=tags) as run_id:
        if not resumes:
            learning.record()
            track.log_config(config, record_data(dataset, split), dataset.left_out, dataset.notices)
        checkpoint = _place_checkpoint(run_id, resumes)
        commonest = commonest_class(dataset.counts[split.labelled], np.array(dataset.names)[split.labelled], seed)
        start = time.monotonic()

        # on the way by what the network says; a sorting is fitted once, at the end
        def record(step: int, averaged: torch.nn.Module) -> None:
            validation = learning.predict(averaged, split.validation)
            metrics = dict(evaluate(validation, aware, commonest))
            track.log_metrics(metrics, step)
            track.log_file(checkpoint)
            if on_eval:
                on_eval(step, metrics)

        averaged = learning.fit(
            checkpoint=checkpoint, on_losses=_record_losses, on_eval=record, show_progress=show_progress
        )
        # of a resumed run only the time since its last checkpoint
        seconds = time.monotonic() - start
        predictions = learning.predict(averaged)
        predictions = sort_run(predictions, config, checkpoint.with_name(SORTING))
        metrics = final_metrics(predictions, predicts_ambiguity(config.variant, config.sorting.sorting))
        # at the last step, where the curves end
        track.log_metrics(metrics | {"seconds": seconds}, config.loop.steps)
        path = checkpoint.with_name(PREDICTIONS)
        write_predictions(predictions, path)
        track.log_file(path)
        report = path.with_name("report.html")
        if with_report:
            record_report(name, run_id, config, dataset, predictions, metrics, report)
    return TrainResult(run_id, metrics, seconds, path, report, dataset.left_out, dataset.fingerprint, dataset.notices)


def sort_run(predictions: Predictions, config: Config, path: Path) -> Predictions:
    """The network's predictions in the hands of the run's sorting, which is fitted, written and logged."""
    sorting = fit_sorting(predictions, config.sorting, config.dc3.prior, config.runtime.seed)
    write_sorting(sorting, config.sorting, path)
    track.log_file(path)
    return sort_predictions(predictions, sorting)


def load_run(run_id: str) -> TrainedRun:
    """Loads network, predictions and data record of a finished run, on the CPU; today's data are not read."""
    summary = track.summarise(run_id)
    config = summary.config
    predictions = read_predictions(track.fetch_file(run_id, PREDICTIONS))
    data = track.load_data_record(run_id)
    state = load_checkpoint(track.fetch_file(run_id, CHECKPOINT), torch.device("cpu"))
    # AveragedModel keeps the network under `module` beside a counter
    weights = {key.removeprefix("module."): value for key, value in state.average.items() if key.startswith("module.")}
    frozen = config.network.freeze == "all"
    if frozen:
        network = rebuild_network(run_id, config, len(data.classes))
        network.head.load_state_dict(weights)
    else:
        network = build_network(replace(config.network, pretrained=""), config.data.size, len(data.classes))
        network.load_state_dict(weights)
    # runs of before sorting had a file of its own are as published
    sorting = read_sorting(track.fetch_file(run_id, SORTING)) if track.has_file(run_id, SORTING) else NetworkSorting()
    predictor = Predictor(network, VARIANTS[config.variant].ambiguity_aware, frozen, sorting).eval()
    metrics = track.find_figures(run_id)
    return TrainedRun(run_id, config, predictor, predictions, data, caption_clusters(predictions), metrics)


def resolve(config: Config) -> Config:
    """The configuration as it is used here: absolute paths, as a run must repeat from any folder; no `auto`."""
    split, groups = (_place_table(named) for named in (config.split.split, config.split.groups))
    device = choose_device(config.runtime.device)
    name = cast(Literal["cuda", "mps", "cpu"], device.type)
    # a head alone is too small to gain by bf16, and its features are rounded already
    is_small = config.network.freeze == "all" and config.runtime.precision == "auto"
    bf16 = not is_small and uses_bf16(config.runtime.precision, device)
    precision: Literal["bf16", "float32"] = "bf16" if bf16 else "float32"
    execution = choose_execution(config.runtime.execution, device)
    return replace(
        config,
        data=config.data.resolve(),
        split=replace(config.split, split=split, groups=groups),
        runtime=replace(config.runtime, device=name, precision=precision, execution=execution),
    )


def _place_table(named: str) -> str:
    """The absolute path of an option that names a file; a word (`stable`, a column) stays."""
    path = Path(named).expanduser()
    return str(path.resolve()) if path.is_file() else named


def _place_checkpoint(run_id: str, resumes: bool) -> Path:
    """Where the run keeps its checkpoint; a resumed run of another machine brings its last one from the store."""
    path = track.store() / "work" / run_id / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    if resumes and not path.exists() and track.has_file(run_id, CHECKPOINT):
        shutil.copy(track.fetch_file(run_id, CHECKPOINT), path)
    return path


def _record_losses(losses: Losses) -> None:
    values = {f"loss_{name}": value for name, value in losses.terms.items()}
    track.log_metrics(values | {"images_per_second": losses.images_per_second}, losses.step)


def final_metrics(predictions: Predictions, ambiguity_aware: bool) -> dict[str, float]:
    """Of the validation part, and with the prefix test_ of the test part where there is one."""
    metrics = evaluate_part(predictions, "validation", ambiguity_aware)
    if len(predictions.part("test").images):
        test = evaluate_part(predictions, "test", ambiguity_aware)
        metrics |= {f"test_{name}": value for name, value in test.items()}
    return metrics
