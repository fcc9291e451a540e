"""A finished run under another sorting: a run of its own, without another training."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from data.errors import InputError
from data.predictions import Predictions, write_predictions
from training import track
from training.config import check_config
from training.options import SortingOptions
from training.run_data import recall_data
from training.run_report import record_report
from training.sorting import predicts_ambiguity
from training.sorting.network import NetworkSorting
from training.train import PREDICTIONS, SORTING, TrainedRun, TrainResult, final_metrics, load_run, sort_run

_MADE_ANEW = (PREDICTIONS, SORTING, "report.html", "model_card.md")
"""Files of a run that hang on its sorting; all others are the training's, and are the same."""
_BATCH = 4096


def sort_again(
    run_id: str,
    options: SortingOptions,
    *,
    name: str = "",
    parent: str | None = None,
    with_report: bool = True,
    on_notice: Callable[[str], None] = lambda notice: None,
) -> TrainResult:
    """Sorts a finished run anew and records it as another run, which names the one that it comes from.

    It has the same network and record, and predictions, metrics and a page of its own: whatever takes a run takes it.
    No image is read, but for the page.

    Args:
        parent: the run to nest this one below (`dc3 compare`).
        on_notice: is told why there is no page, where the run's images are gone or changed.
    """
    origin = load_run(run_id)
    config = check_config(replace(origin.config, sorting=options), "The sorting")
    name = name or f"{track.name_of(run_id)} sorted by {options.sorting}"
    with track.open_run(name, parent=parent, tags=track.tag_origin(run_id)) as new:
        track.log_config(config, origin.data, (), ())
        for file in sorted({*track.list_files(run_id)} - {*track.list_files(new), *_MADE_ANEW}):
            track.log_file(track.fetch_file(run_id, file))
        path = track.store() / "work" / new / PREDICTIONS
        path.parent.mkdir(parents=True, exist_ok=True)
        predictions = sort_run(_as_the_network_says(origin), config, path.with_name(SORTING))
        metrics = final_metrics(predictions, predicts_ambiguity(config.variant, options.sorting))
        seconds = origin.metrics.get("seconds", 0.0)  # of the training, which is the same one
        track.log_metrics(metrics | {"seconds": seconds}, config.loop.steps)
        write_predictions(predictions, path)
        track.log_file(path)
        report = path.with_name("report.html")
        if with_report:
            try:
                dataset, _ = recall_data(run_id, config)
            except InputError as error:
                on_notice(f"no page, for the run's images cannot be shown: {error}")
            else:
                record_report(name, new, config, dataset, predictions, metrics, report)
    return TrainResult(new, metrics, seconds, path, report, (), origin.data.fingerprint, ())


@torch.inference_mode()
def _as_the_network_says(run: TrainedRun) -> Predictions:
    """The run's predictions before its sorting: the stored ones where that changed nothing, else from its features."""
    if isinstance(run.predictor.sorting, NetworkSorting):
        return run.predictions
    features = torch.tensor(run.predictions.embedding)  # a copy, as that of a file cannot be written to
    outputs = [run.predictor.network.outputs(batch) for batch in features.split(_BATCH)]
    clusters = np.concatenate([output.clusters.softmax(1).numpy() for output in outputs])
    ambiguity = np.concatenate([output.ambiguity.sigmoid().numpy() for output in outputs])
    learnt = run.predictor.learnt_ambiguity
    return run.predictions._replace(clusters=clusters, ambiguity=ambiguity if learnt else np.zeros_like(ambiguity))
