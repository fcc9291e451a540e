"""`dc3 data check`: reads the data as a training would, and writes a page of what it found."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.ingest import Dataset, ingest
from data.sources import SOURCES
from training import track
from training.config import Config
from training.evaluate.data_facts import DataFacts, gather_facts
from training.report.data_page import AgreementRow, render_data_page
from training.report.page import PageFigure
from training.report.vote_examples import draw_vote_examples, rank_pairs
from training.run_data import CACHE
from web.canvas import draw_png

CAPTION = (
    "Images of the classes that annotators mix up most: those that all call one class (red), those that are most split"
    " between both (grey), those that all call the other (blue); the bar below an image shows its votes."
)


class CheckedData(NamedTuple):
    """What a training would read, and the facts of it."""

    dataset: Dataset
    table: pd.DataFrame
    """The source's long vote table."""
    facts: DataFacts


def check_data(config: Config) -> CheckedData:
    """Reads images and votes, decoding each image once; the next training finds the copy.

    Raises InputError where nothing can be read at all: no such folder or table, a table that is none.
    """
    source = SOURCES[config.data.source](config.data)
    dataset = ingest(source, config.data.size, track.store() / CACHE, skip_bad_images=True)
    table, skips = source.votes(), config.data.skip_bad_images
    facts = gather_facts(dataset, table, config.data.votes, config.split, config.runtime.seed, skips)
    return CheckedData(dataset, table, facts)


def write_data_page(checked: CheckedData, agreement: list[AgreementRow], title: str, path: Path) -> None:
    """Writes the page; its folder is made."""
    dataset = checked.dataset
    pairs = rank_pairs(dataset.counts)
    figures = []
    if pairs:
        figure = draw_vote_examples(np.asarray(dataset.images), dataset.counts, dataset.classes, pairs)
        figures.append(PageFigure("vote_examples", CAPTION, draw_png(figure)))
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f"{path.name}.part")
    work.write_text(render_data_page(title, checked.facts, agreement, figures), encoding="utf-8")
    work.replace(path)
