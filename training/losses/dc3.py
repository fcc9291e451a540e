"""The DC3 loss over any semi-supervised method: inverse cross-entropy, ambiguity and similarity (paper, Eq. 1 to 3)."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from training.losses.step import Step
from training.losses.warm_up import WARM_UP_SHARE
from training.networks.outputs import Outputs
from training.options import DC3Options

TERMS = ("ssl", "inverse_ce", "ambiguity", "similarity")
"""Names of the weighted terms whose sum is the loss (Eq. 1)."""

CONFIDENT = 0.95
"""Unlabelled images count for the inverse cross-entropy from this max p_n on (authors' pseudo code)."""


@dataclass(frozen=True)
class Variant:
    """A row of the ablation (Table 4): which weights stay, and whether and how the ambiguity is predicted."""

    inverse_ce: bool
    ambiguity_aware: bool
    """False: p_a = 0 everywhere, nothing is scaled by it and the class output decides."""
    guided: bool = False
    """Ours, not the paper's: at first the least confident images are taught to be ambiguous, see `guide`."""


VARIANTS: dict[str, Variant] = {
    "vanilla": Variant(inverse_ce=False, ambiguity_aware=False),
    "inverse_ce": Variant(inverse_ce=True, ambiguity_aware=False),
    "cc": Variant(inverse_ce=False, ambiguity_aware=True),
    "dc3": Variant(inverse_ce=True, ambiguity_aware=True),
    "dc3_guided": Variant(inverse_ce=True, ambiguity_aware=True, guided=True),
}


@dataclass(frozen=True)
class DC3Weights:
    """What `dc3_terms` needs: options with a variant applied."""

    prior: float
    inverse_ce_labelled: float
    inverse_ce_unlabelled: float
    ambiguity: float
    similarity: float
    ambiguity_aware: bool
    guided: bool

    @property
    def needs_unlabelled(self) -> bool:
        """Whether a term looks at unlabelled images, beside the method's own loss on them."""
        return bool(self.inverse_ce_unlabelled or self.ambiguity or self.similarity)


def weigh(options: DC3Options, variant: Variant) -> DC3Weights:
    """Applies a variant to the options: what it leaves out weighs zero."""
    return DC3Weights(
        prior=options.prior,
        inverse_ce_labelled=options.inverse_ce_labelled * variant.inverse_ce,
        inverse_ce_unlabelled=options.inverse_ce_unlabelled * variant.inverse_ce,
        ambiguity=options.ambiguity_weight * variant.ambiguity_aware,
        similarity=options.similarity_weight * variant.ambiguity_aware,
        ambiguity_aware=variant.ambiguity_aware,
        guided=variant.guided,
    )


def guide(weights: DC3Weights, share: float) -> DC3Weights:
    """The weights at a share of the training: guidance ends after the first 40 %.

    p_a teaches itself, so nothing in the loss says that ambiguous means doubtful: from each start it settles on some
    split of the images, and easy classes are as likely to be called ambiguous as hard ones (docs/results.md). A
    guided training ranks the pseudo-labels of Eq. 3 by 1 - max p_n first, and by p_a, as the paper does, from then on.
    """
    return replace(weights, guided=weights.guided and share < WARM_UP_SHARE)


def dc3_terms(step: Step, labels: Tensor, weights: DC3Weights, generator: torch.Generator) -> dict[str, Tensor]:
    """Weighted scalar terms by the names of TERMS; their sum is the loss (Eq. 1). What weighs nothing is not reckoned.

    Args:
        step: what a method made of one batch.
        labels: (B,) classes of the labelled images.
        generator: draws the partners of the inverse cross-entropy.
    """
    terms = dict.fromkeys(TERMS, step.supervised.new_zeros(()))
    ambiguous = None if step.unlabelled is None else _fixed_ambiguity(step.unlabelled)
    terms["ssl"] = _ssl_term(step, ambiguous, weights)
    if weights.inverse_ce_labelled or weights.inverse_ce_unlabelled:
        terms["inverse_ce"] = _inverse_ce_term(step, ambiguous, labels, weights, generator)
    if not weights.needs_unlabelled:
        return terms
    assert step.unlabelled is not None, "the loop asks a method for unlabelled outputs where the weights need them"
    if weights.ambiguity:
        terms["ambiguity"] = weights.ambiguity * _ambiguity_term(step.unlabelled, weights)
    if weights.similarity and step.second is not None:
        losses = similarity_loss(step.unlabelled.clusters, step.second.clusters)
        terms["similarity"] = weights.similarity * (losses * ambiguous).mean()
    return terms


def inverse_cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """CE^-1(p, q) = -sum_c p_c ln(1 - q_c), small when p and q lie in different clusters (Eq. 2).

    Args:
        p: (N, k') cluster probabilities.
        q: (N, k') cluster probabilities of the partners.

    Returns:
        (N,) values from 0 up; finite also where q is exactly 1.
    """
    q = q.clamp(max=1 - torch.finfo(q.dtype).eps)
    return -(p * torch.log1p(-q)).sum(1)


def ambiguity_pseudo_labels(p_a: Tensor, prior: float) -> Tensor:
    """h of Eq. 3: 1 for the floor(N * prior) images with the highest p_a, else 0.

    The paper sorts 'in ascending order', which would mark the clearest images; the authors' code marks these.

    Args:
        p_a: (N,) ambiguity, probabilities or logits.

    Returns:
        (N,) of p_a's type, without gradient.
    """
    # 0.29 * 100 is 28.999...: the small addition keeps floor on the intended count
    n_ambiguous = int(len(p_a) * prior + 1e-6)
    order = p_a.detach().argsort(descending=True, stable=True)
    return torch.zeros_like(p_a, requires_grad=False).scatter(0, order[:n_ambiguous], 1.0)


def ambiguity_loss(logits: Tensor, pseudo_labels: Tensor) -> Tensor:
    """L_A: (N,) binary cross-entropy between p_a (as logits) and its pseudo-labels (Eq. 3)."""
    return F.binary_cross_entropy_with_logits(logits, pseudo_labels, reduction="none")


def similarity_loss(clusters: Tensor, others: Tensor) -> Tensor:
    """L_S: (N,) cross-entropy CE(p_o(x), p_o(x')) of two views, both (N, k') logits; also sharpens p_o."""
    return -(clusters.softmax(1) * others.log_softmax(1)).sum(1)


def draw_partners(labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draws for each image a random other one of the batch with a different label.

    Args:
        labels: (N,) labels or pseudo-labels.

    Returns:
        partners (N,) row numbers, and found (N,) False where the batch holds no other label.
    """
    different = labels[:, None] != labels[None, :]
    keys = torch.rand(different.shape, generator=generator, device=labels.device).mul_(different)
    # a key of exactly 0, one of 2^24, counts as none drawn; `max` would give both at once, in three times the time
    return keys.argmax(1), keys.amax(1) > 0


def _fixed_ambiguity(outputs: Outputs) -> Tensor:
    """(N,) p_a without gradient.

    It only weighs: with a gradient through it p_a could shrink the loss by calling all images ambiguous.
    """
    return outputs.ambiguity.detach().sigmoid()


def _ssl_term(step: Step, ambiguous: Tensor | None, weights: DC3Weights) -> Tensor:
    """The method's losses, those on unlabelled images times 1 - sg(p_a) where the variant predicts an ambiguity."""
    if step.unsupervised is None:
        if not weights.ambiguity_aware:
            return step.supervised.mean()
        return (step.supervised * (1 - _fixed_ambiguity(step.labelled))).mean()
    assert ambiguous is not None, "a method with an unlabelled loss hands on its unlabelled outputs"
    unsupervised = step.unsupervised * (1 - ambiguous) if weights.ambiguity_aware else step.unsupervised
    return step.supervised.mean() + unsupervised.mean()


def _inverse_ce_term(
    step: Step, ambiguous: Tensor | None, labels: Tensor, weights: DC3Weights, generator: torch.Generator
) -> Tensor:
    """The weighted means over labelled and over unlabelled images, whose losses are reckoned as those of one batch.

    Of the unlabelled images those with a confident pseudo-label count, the ambiguous ones less.
    """
    clusters, partners, shares = [], [], []
    if weights.inverse_ce_labelled:
        drawn, found = draw_partners(labels, generator)
        clusters.append(step.labelled.clusters)
        partners.append(drawn)
        shares.append(found * (weights.inverse_ce_labelled / len(drawn)))
    if weights.inverse_ce_unlabelled:
        assert step.unlabelled is not None, "the loop asks a method for unlabelled outputs where the weights need them"
        confidence, pseudo_labels = step.unlabelled.classes.detach().softmax(1).max(1)
        drawn, found = draw_partners(pseudo_labels, generator)
        share = (found & (confidence >= CONFIDENT)) * (weights.inverse_ce_unlabelled / len(drawn))
        partners.append(drawn + sum(len(part) for part in clusters))
        clusters.append(step.unlabelled.clusters)
        shares.append(share * (1 - ambiguous) if weights.ambiguity_aware else share)
    p = torch.cat(clusters).softmax(1)
    return (inverse_cross_entropy(p, p[torch.cat(partners)]) * torch.cat(shares)).sum()


def _ambiguity_term(unlabelled: Outputs, weights: DC3Weights) -> Tensor:
    scores = 1 - unlabelled.classes.detach().softmax(1).amax(1) if weights.guided else unlabelled.ambiguity
    return ambiguity_loss(unlabelled.ambiguity, ambiguity_pseudo_labels(scores, weights.prior)).mean()
