"""How many of the votes train: what a lab gave, and what became of it."""

from typing import NamedTuple

import numpy as np

from data.votes.counts import is_voted

HOW = {"drawn": "one drawn vote an image", "majority": "their majority", "soft": "as soft labels"}


class VotesUsed(NamedTuple):
    """Votes by what they are used for."""

    trains: int
    """Votes behind the training labels: one an image where it is drawn, else all on the labelled images."""
    images: int
    """Labelled images."""
    votes: int
    """All votes of the table."""
    measures: int
    """Votes on validation and test images."""
    measured: int
    """Those images."""
    how: str

    @property
    def short(self) -> str:
        """Example: 960 of 56,939 votes on 960 images."""
        return f"{self.trains:,} of {self.votes:,} votes on {self.images:,} images"

    def describe(self) -> str:
        """The line that each training prints and records."""
        rest = self.votes - self.trains - self.measures
        share = 100 * self.trains / max(self.votes, 1)
        text = f"uses {self.short} ({share:.1f} %, {self.how}); {self.measures:,} on {self.measured:,} others measure"
        hint = " (the presets features and own use all)" if self.how == HOW["drawn"] else ""
        return text + (f"; {rest:,} are not used{hint}" if rest else "")


def count_used(counts: np.ndarray, parts: np.ndarray, labels: str) -> VotesUsed:
    """Counts them.

    Args:
        counts: (N, k) votes.
        parts: (N,) part of each image.
        labels: as in `SplitOptions`.
    """
    totals, labelled = counts.sum(1), parts == "labelled"
    measured = np.isin(parts, ("validation", "test")) & is_voted(counts)
    trains = int(labelled.sum() if labels == "drawn" else totals[labelled].sum())
    return VotesUsed(
        trains, int(labelled.sum()), int(totals.sum()), int(totals[measured].sum()), int(measured.sum()), HOW[labels]
    )
