"""How good a model is, in words: the one place where a run's figures become what people read before they use it."""

import math
from collections.abc import Mapping
from typing import NamedTuple

Z = 1.96
"""Of the normal distribution: intervals hold the true value in 95 of 100 cases."""
GOOD_AUROC = 0.7
"""From here an ambiguity sorts well enough to go by; a convention of the field."""
_NOT_MEASURED = "How good this model is was not measured."


class Quality(NamedTuple):
    """What is to be said of a model, and what it is good for."""

    words: tuple[str, ...]
    """Sentences for people: what is right, against what, and what to do."""
    proposals_help: bool | None
    """Whether its proposals are right more often than the commonest class; None where that was not measured."""
    ambiguity_helps: bool | None
    """Whether its ambiguity finds disputed images better than chance; None where that was not measured."""


def describe_quality(metrics: Mapping[str, float], part: str = "validation") -> Quality:
    """The figures of one part in words.

    'No better than' means that the 95 % interval of the figure holds the other one, or lies below it.

    Args:
        metrics: as `training.evaluate.metrics` yields them; those of older runs and files lack what is needed, and are
            called not measured.
        part: that they were measured on.
    """
    known = {name: value for name, value in metrics.items() if math.isfinite(value)}
    if "proposals_right" not in known or not known.get("measured_images"):
        return Quality((_NOT_MEASURED,), None, None)
    proposals, proposals_help = _describe_proposals(known, part)
    ambiguity, ambiguity_helps = _describe_ambiguity(known)
    return Quality((*proposals, *ambiguity), proposals_help, ambiguity_helps)


def _describe_proposals(metrics: Mapping[str, float], part: str) -> tuple[tuple[str, ...], bool | None]:
    right, n = metrics["proposals_right"], int(metrics["measured_images"])
    low, high = binomial_interval(right, n)
    fact = f"Right proposals: {right:.1%} of {n:,} {part} images ({low:.1%} to {high:.1%})"
    if "proposals_right_shuffled" in metrics:
        fact += f"; {metrics['proposals_right_shuffled']:.1%} with the clusters shuffled"
    commonest = metrics.get("proposals_right_commonest")
    if commonest is None:
        return (f"{fact}.",), None
    fact += f"; {commonest:.1%} by proposing the commonest class for every image."
    if low > commonest:
        return (fact, "The proposals are right more often than the commonest class."), True
    return (
        fact,
        "The proposals are no better than the commonest class: do not show them to annotators; train longer, with more"
        " votes or more labelled images.",
    ), False


def _describe_ambiguity(metrics: Mapping[str, float]) -> tuple[tuple[str, ...], bool | None]:
    """Two borders of what is disputed, of which one is enough: where annotators are many, nearly all images have a
    stray vote, and where they are few, no other border can be told."""
    n = metrics["measured_images"]
    facts, lows, best = [], [], 0.0
    for name, count, text in (
        ("ambiguity_auroc", "disputed_images", "whose annotators disagree"),
        ("ambiguity_auroc_clear", "clearly_disputed_images", "whose top class has below 80 % of the votes"),
    ):
        if name in metrics and count in metrics:
            low, high = auroc_interval(metrics[name], metrics[count], n - metrics[count])
            facts.append(f"{metrics[name]:.2f} for images {text} ({low:.2f} to {high:.2f})")
            lows.append(low)
            best = max(best, metrics[name])
    if not facts:
        return ("Ambiguity: not measured; the model predicts none, or its annotators are all of one mind.",), None
    fact = f"Ambiguity, AUROC (0.5 is chance): {', '.join(facts)}."
    if max(lows) <= 0.5:
        return (
            fact,
            "The ambiguity is not shown to be better than chance: do not show it to annotators, nor sort by it.",
        ), False
    if best < GOOD_AUROC:
        return (fact, "The ambiguity is better than chance, but weak: sort by it, do not decide by it."), True
    return (fact, "The ambiguity finds disputed images: sort by it."), True


def binomial_interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of n independent images.

    Example: 50 % of 100 images: 0.404 to 0.596. Images of one cluster are judged by each other, so it is a little too
    narrow for them.
    """
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def auroc_interval(auroc: float, n_disputed: float, n_others: float) -> tuple[float, float]:
    """95 % interval of an AUROC: that of Hanley and McNeil (1982, Radiology 143), but no narrower than at chance.

    Theirs has no width at 0 and 1, where a handful of images would prove anything.
    Example: 0.7 from 50 disputed and 50 other images: 0.586 to 0.814.
    """
    one, two = auroc / (2 - auroc), 2 * auroc * auroc / (1 + auroc)
    spread = auroc * (1 - auroc) + (n_disputed - 1) * (one - auroc**2) + (n_others - 1) * (two - auroc**2)
    at_chance = (n_disputed + n_others + 1) / 12
    half = Z * math.sqrt(max(spread, at_chance) / (n_disputed * n_others))
    return max(auroc - half, 0.0), min(auroc + half, 1.0)
