"""One simulated annotator: answers drawn from the real votes, the published acceptance model and a cost model."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from data.errors import InputError
from relabel.acceptance import FULL_ACCEPTANCE, acceptance, list_bias_faults
from relabel.cost import Cost, check_seconds, cluster_seconds, list_cost_faults

if TYPE_CHECKING:
    from data.verdicts import Outcome

NO_CLASS = -1
"""In place of a class number: no proposal, or no label given."""


DataSet = Literal["cifar10h", "qualitymri", "turkey", "pig", "treeversity1", "benthic", "micebone", "plankton"]
PUBLISHED: dict[DataSet, float] = dict(
    zip(get_args(DataSet), (0.0, 0.0, 0.14, 0.26, 0.26, 0.40, 0.41, 0.65), strict=True)
)
"""d by data set of the DCIC benchmark, as the code of CleverLabel (arXiv 2305.12811, its `spa.py`) has them."""


@dataclass(frozen=True)
class AnnotatorModel:
    """How a simulated annotator decides."""

    d: float | DataSet = 0.26
    """Confirmation bias: chance to accept a proposal that one would not have given, A = d + (0.99 - d) p. A number, or
    the data set that CleverLabel's code (arXiv 2305.12811) gives one for: cifar10h and qualitymri 0, turkey 0.14, pig
    and treeversity1 0.26, benthic 0.40, micebone 0.41, plankton 0.65."""
    full_acceptance: float = FULL_ACCEPTANCE
    """Chance to accept a proposal that everybody would give (same source)."""
    mixed_below: float = 0.5
    """A cluster whose most frequent class has a smaller share of the members is answered `mixed`. Our assumption."""

    @property
    def offset(self) -> float:
        """d as a number."""
        return PUBLISHED[self.d] if isinstance(self.d, str) else self.d

    def accepts(self, share: np.ndarray) -> np.ndarray:
        """Chance that an answer is accepted when proposed and given by `share` of all without a proposal."""
        return acceptance(share, self.offset, self.full_acceptance)


@dataclass(frozen=True)
class TimeModel:
    """How long a simulated annotator takes; times scatter log-normally about their mean."""

    cost: Cost = field(default_factory=Cost)
    """The means."""
    spread: float = 0.5
    """Standard deviation of the logarithm of a time. Our assumption; 0 makes every time its mean."""


class ImageAnswer(NamedTuple):
    """What was said of one image."""

    label: int
    """Class number."""
    outcome: "Outcome"
    """accepted, changed or manual."""
    seconds: float


class ClusterAnswer(NamedTuple):
    """What was said of a cluster of M images."""

    label: int
    """Class number given to all that belong, `NO_CLASS` where the cluster is mixed."""
    belongs: np.ndarray
    """(M,) False for members that were taken out; all False where the cluster is mixed."""
    outcome: "Outcome"
    """Of the members that belong: accepted or changed; skipped where the cluster is mixed."""
    seconds: float
    """For the cluster as a whole."""
    seen: np.ndarray
    """(M,) class that he takes each member for: asked about it alone in this round, he says the same."""


def check_models(annotator: AnnotatorModel, times: TimeModel) -> None:
    """Raises InputError with every value out of range."""
    faults = list_bias_faults(annotator.offset, annotator.full_acceptance)
    if not 0 <= annotator.mixed_below <= 1:
        faults.append(f"mixed-below must lie in 0 to 1, it is {annotator.mixed_below}")
    faults += list_cost_faults(times.cost)
    if times.spread < 0:
        faults.append(f"spread must not be negative, it is {times.spread}")
    if faults:
        raise InputError("The simulated annotators cannot be: " + "; ".join(faults) + ".")


def answer_image(
    truth: np.ndarray,
    proposal: int | None,
    generator: np.random.Generator,
    model: AnnotatorModel,
    times: TimeModel,
) -> ImageAnswer:
    """Judges one image.

    Args:
        truth: (k,) share of the real votes; sums to 1.
        proposal: class number shown, None where none is.
    """
    if proposal is None:
        return ImageAnswer(
            _draw(truth, generator), "manual", _draw_seconds(times.cost.single_seconds, times, generator)
        )
    seconds = _draw_seconds(check_seconds(times.cost), times, generator)
    if generator.random() < model.accepts(truth[proposal]):
        return ImageAnswer(proposal, "accepted", seconds)
    return ImageAnswer(_draw(without(truth, proposal), generator), "changed", seconds)


def answer_again(seen: int, generator: np.random.Generator, times: TimeModel) -> ImageAnswer:
    """Judges alone, without a proposal, an image that the annotator took for class `seen` in its cluster.

    A fresh draw would give the cluster's class a second chance: p + (1 - p) p of those who ignore proposals would name
    it, not p, and pass for people whom proposals pull.
    """
    return ImageAnswer(seen, "manual", _draw_seconds(times.cost.single_seconds, times, generator))


def answer_cluster(
    truths: np.ndarray,
    proposal: int,
    suspects: np.ndarray,
    generator: np.random.Generator,
    model: AnnotatorModel,
    times: TimeModel,
) -> ClusterAnswer:
    """Judges a cluster at once.

    Each member is seen as the proposed class with the chance of acceptance, or as another class. A suspect comes
    ticked as not belonging, so there that is what the model of acceptance applies to. The class that most members are
    seen as is the cluster's, if its share is large enough; the others are taken out.

    Args:
        truths: (M, k) share of the real votes.
        proposal: class number shown for all.
        suspects: (M,) True for members shown as not belonging.
    """
    share = truths[:, proposal]
    fits = np.where(suspects, 1 - model.accepts(1 - share), model.accepts(share))
    accepted = generator.random(len(truths)) < fits
    seen = np.array(
        [
            proposal if fit else _draw(without(truth, proposal), generator)
            for truth, fit in zip(truths, accepted, strict=True)
        ]
    )
    seconds = _draw_seconds(cluster_seconds(len(truths), times.cost), times, generator)
    counts = np.bincount(seen, minlength=truths.shape[1])
    # the proposal wins a tie: to change it is more work
    leaders = np.flatnonzero(counts == counts.max())
    other = leaders[0] if len(leaders) == 1 or proposal in leaders else generator.choice(leaders)
    label = proposal if proposal in leaders else int(other)
    if counts[label] < model.mixed_below * len(seen):
        return ClusterAnswer(NO_CLASS, np.zeros(len(seen), bool), "skipped", seconds, seen)
    return ClusterAnswer(label, seen == label, "accepted" if label == proposal else "changed", seconds, seen)


def without(truth: np.ndarray, number: int) -> np.ndarray:
    """(k,) the other classes by their share of the votes; equal where nobody voted for them (a slip: 1 in 100)."""
    others = truth.copy()
    others[number] = 0
    if not others.any():
        others = np.ones_like(truth)
        others[number] = 0
    return others / others.sum()


def _draw(shares: np.ndarray, generator: np.random.Generator) -> int:
    # random() * sum: rounding must not leave a gap above the last class, whose share may be 0
    limits = shares.cumsum()
    return int(limits.searchsorted(generator.random() * limits[-1], side="right"))


def _draw_seconds(mean: float, times: TimeModel, generator: np.random.Generator) -> float:
    """A log-normal time with this mean."""
    return float(mean * np.exp(times.spread * generator.standard_normal() - times.spread**2 / 2))
