"""One training from configuration to predictions, all of it recorded."""

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from training import track
from training.config import Config
from training.data.ingest import Dataset, ingest
from training.data.loader import prepare
from training.data.rounds import read_round
from training.data.sources import SOURCES
from training.data.split import Split, split_images
from training.evaluate.clusters import caption_clusters
from training.evaluate.metrics import evaluate
from training.evaluate.predict import Predictor, predict
from training.evaluate.predictions import Predictions, read_predictions, write_predictions
from training.loop.checkpoint import load_checkpoint
from training.loop.fit import Losses, fit
from training.loop.runtime import choose_device
from training.losses.dc3 import VARIANTS, weigh
from training.methods import build_method
from training.networks import build_network
from training.networks.heads import Network
from training.record import record_report

CHECKPOINT = "checkpoint.pt"
PREDICTIONS = "predictions.parquet"


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


class TrainedRun(NamedTuple):
    """A finished run, loaded again."""

    run_id: str
    config: Config
    predictor: Predictor
    predictions: Predictions
    dataset: Dataset
    captions: tuple[str, ...]
    """(k') one a cluster."""
    metrics: dict[str, float]


def read_data(config: Config) -> tuple[Dataset, Split]:
    """Reads the configured source and splits it by the configured seed."""
    dataset = ingest(
        SOURCES[config.data.source](config.data), config.data.size, track.store() / "data", config.data.skip_bad_images
    )
    return dataset, split_images(dataset.counts, dataset.names, dataset.classes, config.split, config.runtime.seed)


def train(
    config: Config,
    *,
    name: str = "",
    run_id: str | None = None,
    parent: str | None = None,
    tags: dict[str, str] | None = None,
    on_eval: Callable[[int, dict[str, float]], None] | None = None,
    on_notice: Callable[[str], None] = lambda notice: None,
    show_progress: bool = True,
    with_report: bool = True,
) -> TrainResult:
    """Trains one network and records it in MLflow.

    Args:
        run_id: a run to go on with from its last checkpoint.
        parent: the run to nest this one below (`dc3 compare`, `dc3 tune`).
        on_eval: gets step and validation metrics at each evaluation; may raise to stop the training.
        on_notice: gets each notice of the data, before the training; they are recorded with the run as well.
    """
    config = _with_absolute_paths(config)
    dataset, split = read_data(config)
    aware, seed = VARIANTS[config.variant].ambiguity_aware, config.runtime.seed
    for notice in dataset.notices:
        on_notice(notice)
    start_fit = _prepare_fit(config, dataset, split)  # what cannot be trained fails before a run is opened
    name = name or f"{config.method} {config.variant} {config.data.source}"
    resumes = run_id is not None
    merged = read_round(Path(config.data.votes))
    tags = {"dc3.kind": "train"} | (track.tag_round(merged) if merged else {}) | (tags or {})
    with track.open_run(name, run_id=run_id, parent=parent, tags=tags) as run_id:
        track.log_config(config, dataset, _split_table(dataset, split))
        checkpoint = _place_checkpoint(run_id, resumes)
        start = time.monotonic()

        def record(step: int, averaged: Network) -> None:
            validation = predict(Predictor(averaged, aware), dataset, split, split.validation, seed=seed)
            metrics = dict(evaluate(validation, aware))
            track.log_metrics(metrics, step)
            track.log_file(checkpoint)
            if on_eval:
                on_eval(step, metrics)

        averaged = start_fit(checkpoint=checkpoint, on_eval=record, show_progress=show_progress)
        # of a resumed run only the time since its last checkpoint
        seconds = time.monotonic() - start
        predictions = predict(Predictor(averaged, aware), dataset, split, seed=seed)
        metrics = _final_metrics(predictions, aware)
        track.log_metrics(metrics | {"seconds": seconds})
        path = checkpoint.with_name(PREDICTIONS)
        write_predictions(predictions, path)
        track.log_file(path)
        report = path.with_name("report.html")
        if with_report:
            record_report(name, run_id, config, dataset, predictions, metrics, report)
    return TrainResult(run_id, metrics, seconds, path, report, dataset.left_out)


def _prepare_fit(config: Config, dataset: Dataset, split: Split) -> Callable[..., Network]:
    """`fit` with all that the configuration decides; where to keep and report it is left to the caller."""
    seed = config.runtime.seed
    device = choose_device(config.runtime.device)
    torch.manual_seed(seed)
    return partial(
        fit,
        build_network(config.network, config.data.size, len(dataset.classes), config.dc3.prior),
        build_method(config.method, config.ssl),
        weigh(config.dc3, VARIANTS[config.variant]),
        prepare(dataset, split, config.split, seed, device),
        config.loop,
        config.batches,
        config.optimiser,
        seed=seed,
        device=device,
        precision=config.runtime.precision,
        on_losses=_record_losses,
    )


def load_run(run_id: str) -> TrainedRun:
    """Loads network, predictions and data of a finished run, on the CPU."""
    summary = track.summarise(run_id)
    config = summary.config
    dataset, _ = read_data(config)
    predictions = read_predictions(track.fetch_file(run_id, PREDICTIONS))
    network = build_network(replace(config.network, pretrained=""), config.data.size, len(dataset.classes))
    state = load_checkpoint(track.fetch_file(run_id, CHECKPOINT), torch.device("cpu"))
    # AveragedModel keeps the network under `module` beside a counter
    weights = {key.removeprefix("module."): value for key, value in state.average.items() if key.startswith("module.")}
    network.load_state_dict(weights)
    predictor = Predictor(network, VARIANTS[config.variant].ambiguity_aware).eval()
    return TrainedRun(run_id, config, predictor, predictions, dataset, caption_clusters(predictions), summary.metrics)


def _with_absolute_paths(config: Config) -> Config:
    """A run must repeat from any working directory."""
    images, votes = (
        path and str(Path(path).expanduser().resolve()) for path in (config.data.images, config.data.votes)
    )
    return replace(config, data=replace(config.data, images=images, votes=votes))


def _place_checkpoint(run_id: str, resumes: bool) -> Path:
    """Where the run keeps its checkpoint; a resumed run of another machine brings its last one from the store."""
    path = track.store() / "work" / run_id / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    if resumes and not path.exists() and track.has_file(run_id, CHECKPOINT):
        shutil.copy(track.fetch_file(run_id, CHECKPOINT), path)
    return path


def _split_table(dataset: Dataset, split: Split) -> str:
    parts = split.part_names(len(dataset.names))
    return "image,part\n" + "".join(f'"{name}",{part}\n' for name, part in zip(dataset.names, parts, strict=True))


def _record_losses(losses: Losses) -> None:
    values = {f"loss_{name}": value for name, value in losses.terms.items()}
    track.log_metrics(values | {"images_per_second": losses.images_per_second}, losses.step)


def _final_metrics(predictions: Predictions, ambiguity_aware: bool) -> dict[str, float]:
    metrics = dict(evaluate(predictions.part("validation"), ambiguity_aware))
    test = predictions.part("test")
    if len(test.images):
        metrics |= {f"test_{name}": value for name, value in evaluate(test, ambiguity_aware)}
    return metrics
