"""The acceptance model (CleverLabel, arXiv 2305.12811): how a proposal pulls answers towards itself.

    A = d + (full - d) p

A is the chance that an answer is accepted when it is proposed, p the share of annotators who would give it without a
proposal, d the confirmation bias: the chance to accept what one would not have given. `full` is the chance to accept
what everybody would give. Simulated annotators follow the model, bias correction inverts it, `dc3 agree` measures d.
"""

import numpy as np

FULL_ACCEPTANCE = 0.99
"""CleverLabel's code: one in a hundred turns down what all would give."""


def acceptance(share: np.ndarray, d: float, full: float = FULL_ACCEPTANCE) -> np.ndarray:
    """A of p = `share`. Example: d = 0.26 and p = 0 give 0.26, p = 1 gives 0.99."""
    return d + (full - d) * share


def free_share(accepted: np.ndarray, d: float, full: float = FULL_ACCEPTANCE) -> np.ndarray:
    """p of A = `accepted`, within 0 to 1. Example: 3 of 4 accept with d = 0.5 and full = 1, so p = 0.5."""
    return np.clip((accepted - d) / (full - d), 0, 1)


def bias(accepted: np.ndarray, share: np.ndarray, full: float = FULL_ACCEPTANCE) -> np.ndarray:
    """d of A = `accepted` and p = `share`; not finite where p is 1. Example: A = 0.26 and p = 0 give 0.26."""
    return (accepted - full * share) / (1 - share)


def list_bias_faults(d: float, full: float) -> list[str]:
    """What keeps the model from being one, in words."""
    if 0 <= d < full <= 1:
        return []
    return [f"0 <= d < full acceptance <= 1 must hold, they are {d} and {full}"]
