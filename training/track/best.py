"""The best run: of those that were trained on the same data and measured on the same images."""

from collections.abc import Callable

from mlflow.entities import Run

from data.errors import InputError, name_some
from training.evaluate.choice import is_choosable, merit
from training.options import By
from training.sorting import predicts_ambiguity
from training.track.connection import connect, store_name
from training.track.run_log import FINGERPRINT, VALIDATION
from training.track.runs import PREDICTIONS_FILE, fetch_file, find_run, has_file, load_data_record

_PAGE = 1000


def best_run(by: By = "proposals_right", on_notice: Callable[[str], None] = lambda notice: None) -> str:
    """Id of the best finished run on the data and the validation images of the newest one.

    Only runs that predict the ambiguity, by their variant or their sorting, count: another model could not tell which
    image to cluster.

    Args:
        on_notice: gets what was left out of the comparison, and why.
    """
    runs = _list_trainings()
    if not runs:
        raise InputError(f"No finished training in {store_name()}: start with `dc3 train --preset digits`.")
    newest = runs[0]
    same_data = [run for run in runs if run.data.tags.get(FINGERPRINT) == newest.data.tags.get(FINGERPRINT)]
    if len(same_data) < len(runs):
        on_notice(
            f"{len(runs) - len(same_data)} of {len(runs)} runs were trained on other data (images or votes) than the"
            " newest run: their figures do not compare, they are left out; name a run by its id to take it"
        )
    aware = [run for run in same_data if _is_aware(run)]
    validation = validation_of(newest)
    same = [run for run in aware if validation_of(run) == validation]
    if len(same) < len(aware):
        on_notice(
            f"{len(aware) - len(same)} of {len(aware)} runs on the data of the newest run were measured on other"
            " validation images (another seed or split): their figures do not compare, they are left out"
        )
    figures = {run.info.run_id: figures_of(run) for run in same}
    if lacking := [name for name, found in figures.items() if by not in found]:
        some = name_some(lacking, 3)
        on_notice(f"{len(lacking)} run(s) have no {by}, nor predictions to compute it from, and are left out: {some}")
    choosable = [name for name, found in figures.items() if is_choosable(found, by)]
    if not choosable:
        raise InputError(
            f"None of the {len(same)} finished run(s) on the data and the validation images of the newest that predict"
            f" the ambiguity can be chosen by {by}{': the others are degenerate' if len(lacking) < len(same) else ''};"
            " train one (--variant dc3), raise the steps, or name the run by its id."
        )
    return max(choosable, key=lambda name: merit(figures[name], by))  # of equals the newest


def figures_of(run: Run) -> dict[str, float]:
    """A run's recorded metrics; of a run from before `proposals_right` those that its predictions still give, too."""
    recorded = dict(run.data.metrics)
    if "proposals_right" in recorded:
        return recorded
    if not has_file(run.info.run_id, PREDICTIONS_FILE):
        return recorded
    from data.predictions import read_predictions
    from training.evaluate.metrics import evaluate_part

    predictions = read_predictions(fetch_file(run.info.run_id, PREDICTIONS_FILE))
    if not len(predictions.part("validation").images):
        return recorded
    return evaluate_part(predictions, "validation", _is_aware(run)) | recorded


def validation_of(run: Run) -> str:
    """Which images a run was measured on, as `DataRecord.validation_id`; empty where nobody can tell."""
    if found := run.data.tags.get(VALIDATION):
        return str(found)
    try:
        return load_data_record(run.info.run_id).validation_id
    except InputError:
        return ""


def find_figures(run_id: str) -> dict[str, float]:
    """`figures_of` a run by its id."""
    return figures_of(find_run(run_id))


def _is_aware(run: Run) -> bool:
    params = run.data.params
    return predicts_ambiguity(params.get("variant", "dc3"), params.get("sorting", "network"))


def _list_trainings() -> list[Run]:
    """The finished trainings of all experiments, newest first."""
    client = connect()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    query, order = "attributes.status = 'FINISHED' and tags.`dc3.kind` = 'train'", ["attributes.start_time DESC"]
    page = client.search_runs(experiments, query, max_results=_PAGE, order_by=order)
    runs = list(page)
    while page.token:
        page = client.search_runs(experiments, query, max_results=_PAGE, order_by=order, page_token=page.token)
        runs += page
    return runs
