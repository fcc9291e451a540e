"""One simulated annotator: answers drawn from the real votes, the published acceptance model and a cost model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from data.errors import InputError

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
    full_acceptance: float = 0.99
    """Chance to accept a proposal that everybody would give (same source)."""
    mixed_below: float = 0.5
    """A cluster whose most frequent class has a smaller share of the members is answered `mixed`. Our assumption."""

    @property
    def offset(self) -> float:
        """d as a number."""
        return PUBLISHED[self.d] if isinstance(self.d, str) else self.d


@dataclass(frozen=True)
class CostModel:
    """How long a simulated annotator takes; times scatter log-normally about their mean."""

    free_seconds: float = 1.9
    """Mean time for an image without proposal: the paper's Table 3, CIFAR-10H without proposals, three annotators,
    31.9 minutes for 10 % of 10,000 images."""
    check_ratio: float = 0.4
    """Cost of checking a proposal, whatever the answer, in free annotations (CleverLabel's code; Table 3's SSL and
    free columns on CIFAR-10H give 0.38)."""
    member_ratio: float = 0.2
    """Cost of each further member of a cluster, in free annotations; the first costs a check. Our assumption, half a
    check: no published figure tells clusters apart from single images."""
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


def check_models(annotator: AnnotatorModel, cost: CostModel) -> None:
    """Raises InputError with every value out of range."""
    faults = []
    if not 0 <= annotator.offset < annotator.full_acceptance <= 1:
        faults.append(
            f"0 <= d < full acceptance <= 1 must hold, they are {annotator.offset} and {annotator.full_acceptance}"
        )
    if not 0 <= annotator.mixed_below <= 1:
        faults.append(f"mixed-below must lie in 0 to 1, it is {annotator.mixed_below}")
    if cost.free_seconds <= 0:
        faults.append(f"free-seconds must be above 0, it is {cost.free_seconds}")
    for name in ("check_ratio", "member_ratio", "spread"):
        if getattr(cost, name) < 0:
            faults.append(f"{name.replace('_', '-')} must not be negative, it is {getattr(cost, name)}")
    if faults:
        raise InputError("The simulated annotators cannot be: " + "; ".join(faults) + ".")


def acceptance(share: np.ndarray, model: AnnotatorModel) -> np.ndarray:
    """A = d + (0.99 - d) p: chance that an answer is accepted when proposed and given by a share p without proposal.

    Example: d = 0.26 and p = 0 give 0.26, p = 1 gives 0.99.
    """
    return model.offset + (model.full_acceptance - model.offset) * share


def answer_image(
    truth: np.ndarray,
    proposal: int | None,
    generator: np.random.Generator,
    model: AnnotatorModel,
    cost: CostModel,
) -> ImageAnswer:
    """Judges one image.

    Args:
        truth: (k,) share of the real votes; sums to 1.
        proposal: class number shown, None where none is.
    """
    if proposal is None:
        return ImageAnswer(_draw(truth, generator), "manual", _draw_seconds(cost.free_seconds, cost, generator))
    seconds = _draw_seconds(cost.check_ratio * cost.free_seconds, cost, generator)
    if generator.random() < acceptance(truth[proposal], model):
        return ImageAnswer(proposal, "accepted", seconds)
    return ImageAnswer(_draw(without(truth, proposal), generator), "changed", seconds)


def answer_again(seen: int, generator: np.random.Generator, cost: CostModel) -> ImageAnswer:
    """Judges alone, without a proposal, an image that the annotator took for class `seen` in its cluster.

    A fresh draw would give the cluster's class a second chance: p + (1 - p) p of those who ignore proposals would name
    it, not p, and pass for people whom proposals pull.
    """
    return ImageAnswer(seen, "manual", _draw_seconds(cost.free_seconds, cost, generator))


def answer_cluster(
    truths: np.ndarray,
    proposal: int,
    suspects: np.ndarray,
    generator: np.random.Generator,
    model: AnnotatorModel,
    cost: CostModel,
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
    fits = np.where(suspects, 1 - acceptance(1 - share, model), acceptance(share, model))
    accepted = generator.random(len(truths)) < fits
    seen = np.array(
        [
            proposal if fit else _draw(without(truth, proposal), generator)
            for truth, fit in zip(truths, accepted, strict=True)
        ]
    )
    seconds = _draw_seconds(cluster_seconds(len(truths), cost), cost, generator)
    counts = np.bincount(seen, minlength=truths.shape[1])
    # the proposal wins a tie: to change it is more work
    leaders = np.flatnonzero(counts == counts.max())
    other = leaders[0] if len(leaders) == 1 or proposal in leaders else generator.choice(leaders)
    label = proposal if proposal in leaders else int(other)
    if counts[label] < model.mixed_below * len(seen):
        return ClusterAnswer(NO_CLASS, np.zeros(len(seen), bool), "skipped", seconds, seen)
    return ClusterAnswer(label, seen == label, "accepted" if label == proposal else "changed", seconds, seen)


def cluster_seconds(n_members: int, cost: CostModel) -> float:
    """Mean time for a cluster: a check, and something for each further member.

    Example: 11 members at the defaults cost (0.4 + 10 * 0.2) * 1.9 = 4.56 s, 0.41 s each.
    """
    return (cost.check_ratio + cost.member_ratio * (n_members - 1)) * cost.free_seconds


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


def _draw_seconds(mean: float, cost: CostModel, generator: np.random.Generator) -> float:
    """A log-normal time with this mean."""
    return float(mean * np.exp(cost.spread * generator.standard_normal() - cost.spread**2 / 2))
