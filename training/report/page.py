"""The run's page: one HTML file that needs nothing beside it."""

import base64
import struct
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from training.report.metric_texts import describe_metric, format_metric

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
    figures: Iterable[PageFigure],
    model_card: str,
) -> str:
    """The page as HTML with all pictures inside.

    Args:
        summary: the essentials of the configuration, by name.
        metrics: (name, value) as `evaluate` yields them, in the order to show.
        model_card: Markdown; shown as it is written.
    """
    return _template().render(
        title=title,
        summary=summary,
        metrics=[(name, describe_metric(name), format_metric(name, value)) for name, value in metrics],
        figures=[(figure, base64.b64encode(figure.png).decode(), *_read_size(figure.png)) for figure in figures],
        model_card=model_card,
    )


def _read_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header that every PNG begins with."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
