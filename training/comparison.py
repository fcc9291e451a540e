"""Trains methods and variants side by side and puts them into the paper's table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from data.errors import InputError
from data.ingest import Dataset
from data.predictions import Predictions, read_predictions
from training import track
from training.batches.data_changes import find_changes
from training.batches.data_record import align
from training.config import Config, check_config, flatten
from training.evaluate.baseline import fair_baseline, flat_baseline
from training.evaluate.choice import is_choosable, merit
from training.losses.dc3 import VARIANTS
from training.methods import METHODS
from training.options import By, CompareOptions, SortingOptions
from training.report.paper_figures import is_papers_data
from training.report.scatter import draw_scatter
from training.report.setup_rows import AS_PUBLISHED, RunRow, SetupRow, summarise
from training.report.setup_tables import make_csv, make_markdown, make_text
from training.run_data import read_data
from training.run_report import record_report
from training.sort_again import sort_again
from training.sorting import SORTINGS, predicts_ambiguity
from training.sorting.apply import has_training_images
from training.train import PREDICTIONS, resolve, train
from web.canvas import save


class Comparison(NamedTuple):
    """The finished table."""

    run_id: str
    table: list[SetupRow]
    text: str
    files: Path
    """Folder with table.txt, table.csv, table.md, runs.csv and figure6.png."""


def compare(
    config: Config,
    options: CompareOptions,
    *,
    resume: str = "",
    on_run: Callable[[str, RunRow], None] | None = None,
    on_notice: Callable[[str], None] = lambda notice: None,
) -> Comparison:
    """Trains each method, variant and seed below one MLflow run, measures it by each sorting, and tabulates them.

    Args:
        resume: id of a comparison that was interrupted: its finished runs are taken over.
        on_run: gets a text of progress and the row after each run.
        on_notice: gets each notice of the data, before the first run.

    Raises InputError, among others, where finished runs have other settings or data: one table would not compare them.
    """
    configs = plan(config, options)
    for planned in configs:
        check_config(planned, "The comparison")
    dataset, _ = read_data(config)  # a fault in the data shows before the first hour of training
    if resume:
        _check_resumed(resume, configs, dataset)
    for notice in dataset.notices:
        on_notice(notice)
    rows: list[RunRow] = []
    every = options.report == "all"
    with track.open_run("compare", run_id=resume or None, tags={"dc3.kind": "compare"}) as parent:
        track.set_tags({"dc3.plan": f"{options.methods} x {options.variants} x {options.seeds}"})
        finished = track.finished_children(parent)
        trained = ""
        for number, planned in enumerate(configs, 1):
            sorts = bool(trained) and planned.sorting != configs[0].sorting
            run = finished.get(_name(planned))
            if run is None and sorts:
                run = _sort_one(planned, trained, parent, every)
            elif run is None:
                run = _train_one(planned, parent, dataset.fingerprint, every)
            trained = trained if sorts else run.run_id
            rows.append(make_row(planned, run.run_id, _complete(run)))
            if on_run:
                on_run(f"{number}/{len(configs)} {_name(planned)}", rows[-1])
        fetch = lru_cache(maxsize=1)(_fetch_predictions)  # rows of one vanilla run follow each other
        rows = [with_baseline(row, rows, config, fetch) for row in rows]
        files = track.store() / "work" / parent
        paper = config.paper_dataset if is_papers_data(config.paper_dataset, *_size(dataset)) else ""
        table, text = write_table(rows, paper, files, options.by)
        track.log_file(files)
        if best := find_best(rows, options.by):
            track.set_tags({"dc3.best_run": best.run_id})
            if options.report == "best":
                _report(best.run_id, parent, dataset)
    return Comparison(parent, table, text, files)


def plan(config: Config, options: CompareOptions) -> list[Config]:
    """All combinations, seeds outermost: after a third of the time there is one whole table.

    The sortings of one training follow each other; with the first of them it is trained.
    """
    sortings = _plan_sortings(config, options)
    methods = _names(options.methods, list(METHODS), "--methods")
    variants = _names(options.variants, list(VARIANTS), "--variants")
    if options.seeds < 1:
        raise InputError(f"--seeds = {options.seeds}: at least one run of each combination is needed.")
    first = config.runtime.seed
    return [
        replace(config, method=method, variant=variant, runtime=replace(config.runtime, seed=seed), sorting=sorting)
        for seed in range(first, first + options.seeds)
        for method in methods
        for variant in variants
        for sorting in sortings
    ]


def _plan_sortings(config: Config, options: CompareOptions) -> list[SortingOptions]:
    """Each with the border given, where it has one."""
    names = _names(options.sortings, list(SORTINGS), "--sortings") if options.sortings else [config.sorting.sorting]
    return [
        replace(config.sorting, sorting=name) if SORTINGS[name].gives_ambiguity else SortingOptions(sorting=name)
        for name in names
    ]


def find_best(rows: Sequence[RunRow], by: By) -> RunRow | None:
    """The best run of the first seed, for runs of another are measured on other images; None where none can be chosen.

    At a tie the one that was trained first.
    """
    figures = [(row, _choosing_figures(row)) for row in rows if row.seed == rows[0].seed]
    choosable = [(merit(found, by), row) for row, found in figures if is_choosable(found, by)]
    return max(choosable, key=lambda pair: pair[0])[1] if choosable else None


def _choosing_figures(row: RunRow) -> dict[str, float]:
    right = {} if row.right is None else {"proposals_right": row.right}
    return right | {"d_minus_f1": row.d_minus_f1, "degenerate": float(row.degenerate)}


def _size(dataset: Dataset) -> tuple[int, tuple[str, ...]]:
    return len(dataset.names), dataset.classes


def _complete(run: track.FinishedRun) -> dict[str, float]:
    """A run's metrics, of one from before `proposals_right` with what its predictions give."""
    return run.metrics if "proposals_right" in run.metrics else track.find_figures(run.run_id)


def _names(text: str, known: Sequence[str], flag: str) -> list[str]:
    if text == "all":
        return list(known)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise InputError(f"{flag}: {', '.join(unknown) or 'nothing'} is none of {', '.join(known)}, or all.")
    return list(dict.fromkeys(names))


def _name(config: Config) -> str:
    """Of the paper's sorting as comparisons from before there were others named their runs."""
    sorting = "" if config.sorting.sorting == AS_PUBLISHED else f" by {config.sorting.sorting}"
    return f"{config.method} {config.variant} seed {config.runtime.seed}{sorting}"


def _check_resumed(resume: str, configs: Sequence[Config], dataset: Dataset) -> None:
    track.check_unfinished(resume, "compare")
    finished = track.finished_children(resume)
    for planned in configs:
        run = finished.get(_name(planned))
        if run is None:
            continue
        faults = _find_differences(track.load_config(run.run_id), resolve(planned))
        if run.fingerprint != dataset.fingerprint:
            faults += find_changes(track.load_data_record(run.run_id), dataset)
        if faults:
            raise InputError(
                f"Comparison {resume} cannot go on: its run {_name(planned)} ({run.run_id}) is of another kind:\n- "
                + "\n- ".join(faults)
                + "\nGive the options and data that it was begun with, or start a new one without --resume."
            )


def _find_differences(recorded: Config, planned: Config) -> list[str]:
    """Each option of a finished run that is another one now; places and device are the machine's."""
    before, now = (flatten(asdict(config)) for config in (recorded, planned))
    own = {"device", "execution", "images", "votes"}
    if recorded.runtime.precision == "auto":  # as runs of before recorded it
        own.add("precision")
    names = [key for key in now | before if key not in own and before.get(key) != now.get(key)]
    return [f"{key} = {before.get(key)}, not {now.get(key)}" for key in names]


def _train_one(config: Config, parent: str, fingerprint: str, with_report: bool) -> track.FinishedRun:
    result = train(config, name=_name(config), parent=parent, with_report=with_report)
    if result.fingerprint != fingerprint:
        raise InputError(
            f"The data changed while they were compared: run {result.run_id} saw others than the first."
            " Leave images and votes alone until the table is there, and start anew."
        )
    return track.FinishedRun(result.run_id, result.metrics | {"seconds": result.seconds}, fingerprint)


def _sort_one(config: Config, trained: str, parent: str, with_report: bool) -> track.FinishedRun:
    result = sort_again(trained, config.sorting, name=_name(config), parent=parent, with_report=with_report)
    return track.FinishedRun(result.run_id, result.metrics | {"seconds": result.seconds}, result.fingerprint)


def _report(run_id: str, parent: str, dataset: Dataset) -> None:
    """The page of a run that was recorded without one."""
    summary = track.summarise(run_id)
    page = track.store() / "work" / run_id / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    aligned = align(dataset, track.load_data_record(run_id))
    with track.open_run(summary.name, run_id=run_id, parent=parent):
        record_report(
            summary.name, run_id, summary.config, aligned, _fetch_predictions(run_id), track.find_figures(run_id), page
        )


def _fetch_predictions(run_id: str) -> Predictions:
    return read_predictions(track.fetch_file(run_id, PREDICTIONS))


def make_row(config: Config, run_id: str, metrics: Mapping[str, float]) -> RunRow:
    """The row of one run.

    Args:
        metrics: of the validation part, as `training.evaluate.metrics.evaluate` yields them, and `seconds`.
    """
    return RunRow(
        method=config.method,
        variant=config.variant,
        seed=config.runtime.seed,
        run_id=run_id,
        f1=metrics["f1"],
        d=metrics["d"],
        d_minus_f1=metrics["d_minus_f1"],
        ambiguous_share=metrics["ambiguous_share"],
        degenerate=bool(metrics["degenerate"]),
        auroc=metrics.get("ambiguity_auroc"),
        seconds=metrics["seconds"],
        right=metrics.get("proposals_right"),
        right_shuffled=metrics.get("proposals_right_shuffled"),
        right_commonest=metrics.get("proposals_right_commonest"),
        d_left_out=metrics.get("d_left_out"),
        sorting=config.sorting.sorting,
        d_weighted=metrics.get("d_weighted"),
        purity_left_out=metrics.get("purity_left_out"),
    )


def with_baseline(row: RunRow, rows: Sequence[RunRow], config: Config, fetch: Callable[[str], Predictions]) -> RunRow:
    """Adds what the vanilla run of the same method and seed reaches at the same share of ambiguous images.

    Only to runs as published: for one that is sorted by confidence the vanilla run under that sorting is the baseline.

    Args:
        fetch: gives the predictions of a run by its id.
    """
    vanilla = next((r for r in rows if (r.method, r.variant, r.seed) == (row.method, "vanilla", row.seed)), None)
    learnt = row.sorting == AS_PUBLISHED and predicts_ambiguity(row.variant, row.sorting)
    if vanilla is None or not learnt or row.degenerate:
        return row
    predictions = fetch(vanilla.run_id)
    n_clusters = config.network.clusters_per_class * len(predictions.class_names)
    flat = flat_baseline(predictions.part("validation"), row.ambiguous_share, n_clusters, row.seed)
    row = row._replace(flat_d=flat.d, flat_d_minus_f1=flat.d_minus_f1, flat_right=flat.right)
    if not has_training_images(predictions):  # as in what a borrowed machine brought back of a large run
        return row
    found = fair_baseline(predictions, row.ambiguous_share, row.seed)
    return row._replace(
        baseline_f1=found.f1,
        baseline_d=found.d,
        baseline_d_minus_f1=found.d_minus_f1,
        baseline_right=found.right,
        baseline_auroc=found.auroc,
    )


def write_table(
    rows: list[RunRow], paper_dataset: str, folder: Path, by: By = "proposals_right"
) -> tuple[list[SetupRow], str]:
    """Writes table and picture, and keeps the single runs beside them.

    Args:
        paper_dataset: whose figures stand beside ours; empty where the data are not the paper's.
    """
    table = summarise(rows, paper_dataset, by)
    n_seeds = len({row.seed for row in rows})
    text = make_text(table, by, n_seeds)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.txt").write_text(text, encoding="utf-8")
    (folder / "table.md").write_text(make_markdown(table, by, n_seeds), encoding="utf-8")
    (folder / "table.csv").write_text(make_csv(table), encoding="utf-8")
    header = ",".join(RunRow._fields)
    lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
    (folder / "runs.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    save(draw_scatter(rows), folder / "figure6.png")
    return table, text
