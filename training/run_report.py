"""What a finished run shows: its pictures, its model card and one page with both, stored with the run."""

from pathlib import Path

import numpy as np

from data.ingest import Dataset
from data.predictions import Predictions
from data.quality import describe_quality
from data.votes.counts import ambiguous_share
from training import track
from training.batches.votes_used import count_used
from training.config import Config
from training.report.figures import explain, run_figures
from training.report.model_card import CardFacts, write_model_card
from training.report.page import PageFigure, render_page
from training.run_essentials import list_essentials
from training.sorting import predicts_ambiguity
from web.canvas import save


def record_report(
    name: str,
    run_id: str,
    config: Config,
    dataset: Dataset,
    predictions: Predictions,
    metrics: dict[str, float],
    page: Path,
) -> None:
    """Writes `page` and, beside it, the pictures of the validation part and the model card; logs all of them."""
    facts = _collect_facts(name, run_id, config, dataset, predictions, metrics)
    card = write_model_card(facts)
    shown = np.flatnonzero((predictions.parts == "validation") & (predictions.votes.sum(1) > 0))
    rows = {image: row for row, image in enumerate(dataset.names)}
    images = dataset.images[[rows[image] for image in predictions.images[shown]]]
    pictures = []
    folder = page.with_name("figures")
    folder.mkdir(exist_ok=True)
    aware = predicts_ambiguity(config.variant, config.sorting.sorting)
    figures = run_figures(predictions.select(shown), images, aware, config.runtime.seed)
    for figure_name, figure in figures:
        path = folder / f"{figure_name}.png"
        save(figure, path)
        pictures.append(PageFigure(figure_name, explain(figure_name), path.read_bytes()))
    summary: dict[str, object] = {
        "run": run_id,
        "data": facts.source,
        "method": config.method,
        "variant": config.variant,
        "votes": "uses " + count_used(predictions.votes, predictions.parts, config.split.labels).short,
    }
    words = describe_quality(metrics).words
    html = render_page(name, summary | dict(facts.options), metrics.items(), words, pictures, card)
    page.write_text(html, encoding="utf-8")
    card_path = page.with_name("model_card.md")
    card_path.write_text(card, encoding="utf-8")
    track.log_file(folder, "figures")
    track.log_file(page)
    track.log_file(card_path)


def _collect_facts(
    name: str, run_id: str, config: Config, dataset: Dataset, predictions: Predictions, metrics: dict[str, float]
) -> CardFacts:
    sizes = np.bincount(predictions.labels[predictions.votes.sum(1) > 0], minlength=len(dataset.classes))
    parts, counts = np.unique(predictions.parts, return_counts=True)
    return CardFacts(
        name=name,
        run_id=run_id,
        source=f"{config.data.source} {config.data.images}".strip(),
        fingerprint=dataset.fingerprint,
        class_sizes=dict(zip(dataset.classes, sizes.tolist(), strict=True)),
        n_votes=int(dataset.counts.sum()),
        ambiguous_share=ambiguous_share(dataset.counts),
        part_sizes=dict(zip(parts.tolist(), counts.tolist(), strict=True)),
        method=config.method,
        variant=config.variant,
        options=list_essentials(config),
        metrics=metrics,
        notices=dataset.notices,
    )
