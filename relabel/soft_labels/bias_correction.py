"""Bias correction (CleverLabel, arXiv 2305.12811): takes out the votes that a proposal won by being shown."""

import numpy as np

from data.errors import InputError
from relabel.acceptance import free_share, list_bias_faults
from relabel.options import EstimateOptions
from relabel.soft_labels.ballots import NOTHING, Ballots
from relabel.soft_labels.class_blending import blend


def correct_bias(ballots: Ballots, options: EstimateOptions) -> np.ndarray:
    """(N, k) soft labels as if no proposal had been shown.

    Votes on one image with different proposals are corrected apart and joined by their number; votes given without a
    proposal stay as they are. On few votes, or with a bias d that is not that of these annotators, the correction can
    do harm: it clips.

    Raises InputError when no vote was given with a proposal.
    """
    if (ballots.shown == NOTHING).all():
        raise InputError(
            "Bias correction takes out the effect of proposals, but no vote was given with one: give the verdict "
            "tables, which say what was shown, or leave it out."
        )
    k = len(ballots.classes)
    # a group is an image with one proposal, or with none
    keys, group = np.unique(ballots.image * (k + 1) + ballots.shown + 1, return_inverse=True)
    counts = np.zeros((len(keys), k))
    np.add.at(counts, (group, ballots.label), 1)
    shown = keys % (k + 1) - 1
    size = counts.sum(1, keepdims=True)
    corrected = counts / size
    with_proposal = shown != NOTHING
    corrected[with_proposal] = invert_acceptance(
        corrected[with_proposal], shown[with_proposal], options.bias, options.full_acceptance
    )
    soft = np.zeros((len(ballots.images), k))
    np.add.at(soft, keys // (k + 1), corrected * size)
    return soft / soft.sum(1, keepdims=True)


def correct_bias_and_blend(ballots: Ballots, options: EstimateOptions) -> np.ndarray:
    """(N, k) bias correction, then class blending, the order of CleverLabel."""
    return blend(correct_bias(ballots, options), options.blend, ballots.blend_with)


def invert_acceptance(soft: np.ndarray, proposed: np.ndarray, bias: float, full: float) -> np.ndarray:
    """Inverts the model of `relabel.acceptance`: the proposed class gets p, the others the rest.

    The others share the rest as they did before; where none had a vote and something is left, they share it equally.
    Example: 3 of 4 accept with d = 0.5 and full = 1, so p = 0.5; the vote of 0.25 for another class becomes 0.5.

    Args:
        soft: (G, k) share of the votes.
        proposed: (G,) class number that was shown.
        bias: d, at least 0 and below `full`.
        full: acceptance of a proposal that everybody would give.
    """
    if faults := list_bias_faults(bias, full):
        raise InputError(f"Bias correction cannot be: {faults[0]}. `dc3 agree` estimates d.")
    rows = np.arange(len(soft))
    kept = free_share(soft[rows, proposed], bias, full)
    others = soft.copy()
    others[rows, proposed] = 0
    empty = ~others.any(1)
    others[empty] = 1
    others[rows[empty], proposed[empty]] = 0
    others *= ((1 - kept) / others.sum(1))[:, None]
    others[rows, proposed] = kept
    return others
