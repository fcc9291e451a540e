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
    terms["ssl"] = _ssl_term(step, weights)
    if weights.inverse_ce_labelled:
        repelled = _repel(step.labelled.clusters, labels, generator)
        terms["inverse_ce"] = weights.inverse_ce_labelled * repelled.mean()
    if not weights.needs_unlabelled:
        return terms
    assert step.unlabelled is not None, "the loop asks a method for unlabelled outputs where the weights need them"
    if weights.inverse_ce_unlabelled:
        repelled = _repel_confident(step.unlabelled, weights, generator)
        terms["inverse_ce"] = terms["inverse_ce"] + weights.inverse_ce_unlabelled * repelled.mean()
    if weights.ambiguity:
        terms["ambiguity"] = weights.ambiguity * _ambiguity_term(step.unlabelled, weights)
    if weights.similarity and step.second is not None:
        ambiguous = step.unlabelled.ambiguity.detach().sigmoid()
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
    keys = torch.rand(different.shape, generator=generator, device=labels.device)
    # a key of exactly 0, one of 2^24, counts as none drawn
    best, partners = (keys * different).max(1)
    return partners, best > 0


def _ssl_term(step: Step, weights: DC3Weights) -> Tensor:
    if step.unsupervised is None:
        return _spare_ambiguous(step.supervised, step.labelled, weights).mean()
    assert step.unlabelled is not None, "a method with an unlabelled loss hands on its unlabelled outputs"
    return step.supervised.mean() + _spare_ambiguous(step.unsupervised, step.unlabelled, weights).mean()


def _spare_ambiguous(losses: Tensor, outputs: Outputs, weights: DC3Weights) -> Tensor:
    """(N,) losses times 1 - sg(p_a), as they are where the variant predicts no ambiguity.

    The scale only weighs: with a gradient through it p_a could shrink the loss by calling all images ambiguous.
    """
    return losses * (1 - outputs.ambiguity.detach().sigmoid()) if weights.ambiguity_aware else losses


def _ambiguity_term(unlabelled: Outputs, weights: DC3Weights) -> Tensor:
    scores = 1 - unlabelled.classes.detach().softmax(1).amax(1) if weights.guided else unlabelled.ambiguity
    return ambiguity_loss(unlabelled.ambiguity, ambiguity_pseudo_labels(scores, weights.prior)).mean()


def _repel_confident(unlabelled: Outputs, weights: DC3Weights, generator: torch.Generator) -> Tensor:
    """(U,) inverse cross-entropy of the images with a confident pseudo-label, the ambiguous ones spared."""
    confidence, pseudo_labels = unlabelled.classes.detach().softmax(1).max(1)
    losses = _repel(unlabelled.clusters, pseudo_labels, generator) * (confidence >= CONFIDENT)
    return _spare_ambiguous(losses, unlabelled, weights)


def _repel(clusters: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) inverse cross-entropy to a partner of another label, zero where there is none."""
    partners, found = draw_partners(labels, generator)
    p = clusters.softmax(1)
    return inverse_cross_entropy(p, p[partners]) * found
