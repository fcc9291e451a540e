"""The run's page: one HTML file that needs nothing beside it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from training.report.metric_texts import describe_metric, format_metric, split_metrics
from web.standalone import embed_png, load_template

TEMPLATE = Path(__file__).parent / "run.html"


class PageFigure(NamedTuple):
    """A picture of the page."""

    name: str
    caption: str
    """Also its alternative text."""
    png: bytes


def render_page(
    title: str,
    summary: Mapping[str, object],
    metrics: Iterable[tuple[str, float]],
    quality: Sequence[str],
    figures: Iterable[PageFigure],
    model_card: str,
) -> str:
    """The page as HTML with all pictures inside.

    Args:
        summary: the essentials of the configuration, by name.
        metrics: (name, value) as `evaluate` yields them, in the order to show.
        quality: how good the model is, in words (`data.quality`).
        model_card: Markdown; shown as it is written.
    """
    return load_template(TEMPLATE).render(
        title=title,
        summary=summary,
        quality=quality,
        metrics=[
            (part, [(name, describe_metric(name), format_metric(name, value)) for name, value in values])
            for part, values in split_metrics(metrics)
        ],
        figures=[(figure, *embed_png(figure.png)) for figure in figures],
        model_card=model_card,
    )
