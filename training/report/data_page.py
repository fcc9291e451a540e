"""The page of `dc3 data check`: what was understood of the data, with pictures (paper, Table 1 and Figure 3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from training.evaluate.data_facts import DataFacts, describe_facts
from training.report.page import PageFigure
from web.standalone import embed_png, load_template

TEMPLATE = Path(__file__).parent / "data.html"


class AgreementRow(NamedTuple):
    """One coefficient in words."""

    name: str
    value: str
    interval: str
    note: str


def render_data_page(
    title: str, facts: DataFacts, agreement: Sequence[AgreementRow], figures: Sequence[PageFigure]
) -> str:
    """The page as HTML with all pictures inside."""
    return load_template(TEMPLATE).render(
        title=title,
        facts=facts,
        rows=describe_facts(facts),
        agreement=agreement,
        figures=[(figure, *embed_png(figure.png)) for figure in figures],
    )
