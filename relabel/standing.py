"""The verdicts that count as votes: for merging, for soft labels, and wherever else answers become votes."""

from typing import NamedTuple

import pandas as pd

from data.verdicts import votes_of

SAME_ANSWER = ["image", "annotator", "round"]
"""One annotator has one vote an image and round, through whichever door."""


class Standing(NamedTuple):
    """One vote an image, annotator and round, and what it leaves out."""

    votes: pd.DataFrame
    """Verdicts that carry a label and count, in the order of the table."""
    repeated: int
    """Verdicts that stood there twice and count once."""
    superseded: int
    """Votes that the same annotator gave anew, or took back, in the same round; the last answer counts."""
    dropped_bulk: int

    def describe(self) -> tuple[str, ...]:
        """What was left out, in words; empty where nothing was."""
        counts = (
            (self.repeated, "verdicts stood there twice and count once"),
            (
                self.superseded,
                "votes that their annotator gave anew or took back in the same round; the last answer counts",
            ),
            (self.dropped_bulk, "labels copied by a tool left out"),
        )
        return tuple(f"{count} {text}" for count, text in counts if count)


def standing_votes(verdicts: pd.DataFrame, *, drop_bulk: bool = False) -> Standing:
    """Leaves out verdicts without a label, those that stand there twice, and answers given anew or taken back.

    Args:
        verdicts: as `data.verdicts.read_verdicts` returns them; several tables joined.
        drop_bulk: leave out labels that a tool copied, before an answer of the annotator's own could give way to one.
    """
    once = verdicts.drop_duplicates()
    wanted = once[once["outcome"] != "bulk"] if drop_bulk else once
    last = _keep_last(votes_of(latest_answers(wanted)), SAME_ANSWER)
    return Standing(last, len(verdicts) - len(once), len(votes_of(wanted)) - len(last), len(once) - len(wanted))


def latest_answers(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The last answer of an annotator on an image, a round and a unit, whatever it says, in the order of the table.

    By unit: an annotator who judged an image alone may later take it out of its cluster, and his vote stays.
    """
    return _keep_last(verdicts, [*SAME_ANSWER, "unit"])


def _keep_last(verdicts: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The latest answer of those that share a key, in the order of the table."""
    times = pd.to_datetime(verdicts["at"], utc=True, format="ISO8601")
    latest = verdicts.loc[times.sort_values(kind="stable").index].drop_duplicates(key, keep="last")
    return latest.sort_index()
