"""Verdict tables, raw votes and truth as one set of numbered images, classes and answers."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError, name_some
from data.verdicts import VOTING
from data.votes.counts import leading
from data.votes.reader import count_votes
from relabel.agreement.bootstrap import Draws
from relabel.agreement.offers import fill_offers, is_dealt
from relabel.agreement.report_row import MeasureOptions
from relabel.standing import latest_answers

UNKNOWN = -1


class Evidence(NamedTuple):
    """N images, k classes, A answers."""

    answers: pd.DataFrame
    """(A,) columns of a verdict, and row (image number), class, proposed (in view, or recorded) and offer (the same in
    both arms; class numbers, -1 for none), is_vote, is_dealt (`relabel.agreement.offers`), time (UTC). Without bulk
    labels: no human looked at them one by one."""
    images: tuple[str, ...]
    classes: tuple[str, ...]
    votes: np.ndarray
    """(N, k) raw votes of before; zeros without `--votes`."""
    truth: np.ndarray
    """(N,) class numbers, -1 where unknown."""
    truth_source: str
    """In words; empty where there is none."""
    n_bulk: int
    n_unrecorded: int
    """Answers of tables that do not say what the image was offered: found by what the answers show."""
    is_simulation: bool
    """Whether any answer is simulated: every output says so."""

    def draws(self, options: MeasureOptions) -> Draws:
        """The resamples of all figures."""
        return Draws(len(self.images), options.resamples, options.seed)

    @property
    def n_in_both_arms(self) -> int:
        """Images with labels in both arms: in these the arms are paired."""
        return int((self.labels.groupby("row")["arm"].nunique() == 2).sum())

    @property
    def labels(self) -> pd.DataFrame:
        """The answers that carry a label."""
        return self.answers[self.answers["is_vote"]]


def gather_evidence(
    verdicts: pd.DataFrame, votes: pd.DataFrame | None = None, truth: pd.DataFrame | None = None
) -> Evidence:
    """Numbers images and classes, and finds the truth: the table given, or the majority of the raw votes.

    Args:
        verdicts: checked table; several rounds and tools may be joined in it.
        votes: raw votes (image, label, and optionally votes) given without proposals.
        truth: image and label; where an image has several rows, the class with a clear majority of the votes.
    """
    n_bulk = int((verdicts["outcome"] == "bulk").sum())
    once = verdicts[verdicts["outcome"] != "bulk"].drop_duplicates().reset_index(drop=True)
    # where a table and a later one are joined
    answers = latest_answers(once).reset_index(drop=True)
    images = tuple(sorted(answers["image"].unique()))
    if not images:
        raise InputError(f"No answers to measure: the tables hold {len(verdicts)} row(s), {n_bulk} of them bulk.")
    tables = [table[table["image"].isin(images)] for table in (votes, truth) if table is not None]
    offered, n_unrecorded = fill_offers(answers)
    answers = answers.assign(offered=offered)
    names = {*answers["label"], *answers["proposal"], *offered}.union(*(table["label"] for table in tables)) - {""}
    classes = tuple(sorted(names))
    counted = _count(votes, images, classes)
    if truth is not None:
        known, source = _majority(_count(truth, images, classes)), "the truth table"
    elif votes is not None:
        known, source = _majority(counted), "the majority of the raw votes"
    else:
        known, source = np.full(len(images), UNKNOWN), ""
    simulated = bool((answers["tool"] == "simulation").any())
    numbered = _number(answers, images, classes)
    return Evidence(numbered, images, classes, counted, known, source, n_bulk, n_unrecorded, simulated)


def describe_strange_classes(table: pd.DataFrame, verdicts: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Classes of a truth or vote table, on the images that were judged, that no answer has; in words."""
    rows = table[table["image"].isin(verdicts["image"])]
    answered = sorted({*verdicts["label"], *verdicts["proposal"]} - {""})
    strange = rows["label"][~rows["label"].isin(answered)]
    if not len(strange):
        return ()
    return (
        f"{source}: {len(strange)} of its {len(rows)} rows on images that were judged have the class(es)"
        f" {name_some(sorted(strange.unique()), 5)}, which no answer and no proposal has, so no answer can be right"
        f" there; the answers have {name_some(answered, 5)}. Name the classes alike where they are the same",
    )


def _number(answers: pd.DataFrame, images: tuple[str, ...], classes: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(classes, dtype=object)
    numbered = answers.assign(
        row=pd.Index(images).get_indexer(answers["image"]),
        **{"class": index.get_indexer(answers["label"])},
        proposed=index.get_indexer(answers["proposal"]),
        offer=index.get_indexer(answers["offered"]),
        is_vote=answers["outcome"].isin(VOTING),
        time=pd.to_datetime(answers["at"], utc=True, format="ISO8601"),
    )
    return numbered.assign(is_dealt=is_dealt(numbered))


def _count(table: pd.DataFrame | None, images: tuple[str, ...], classes: tuple[str, ...]) -> np.ndarray:
    """(N, k) counts; unlike in training, a class or an image without votes is nothing to complain of."""
    counts = np.zeros((len(images), len(classes)), np.int64)
    if table is None:
        return counts
    table = table[table["image"].isin(images)]
    present = sorted(table["label"].unique())
    if len(present) < 2:  # count_votes asks for two classes; one is no fault here
        votes = table["votes"].to_numpy(np.int64) if "votes" in table else 1
        rows = pd.Index(images).get_indexer(table["image"])
        np.add.at(counts, (rows, [classes.index(name) for name in table["label"]]), votes)
        return counts
    counts[:, [classes.index(name) for name in present]] = count_votes(table, images, present).counts
    return counts


def _majority(counts: np.ndarray) -> np.ndarray:
    """(N,) the class with more votes than any other, -1 at a tie or without votes."""
    leads = leading(counts)
    return np.where(leads.sum(1) == 1, leads.argmax(1), UNKNOWN)
