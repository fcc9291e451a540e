"""What an estimate of soft labels can be told, free of pandas: `dc3 soft-labels --help` reads no table."""

from dataclasses import dataclass

from relabel.acceptance import FULL_ACCEPTANCE


@dataclass(frozen=True)
class EstimateOptions:
    """Settings of the estimators; the defaults are the published ones."""

    blend: float = 0.25
    """Weight of the class's mean soft label in class blending, 0 to 1 (CleverLabel, arXiv 2305.12811, its code)."""
    bias: float = 0.1
    """Confirmation bias d that bias correction assumes: chance to accept a proposal that one would not have given.
    CleverLabel's code uses 0.1 throughout; its measured values run from 0 to 0.65, so measure yours."""
    full_acceptance: float = FULL_ACCEPTANCE
    """Chance to accept a proposal that everybody would give: A = d + (0.99 - d) p (CleverLabel's code)."""
    iterations: int = 100
    """At most, of Dawid-Skene's expectation maximisation."""
    tolerance: float = 1e-5
    """Dawid-Skene stops when the mean log-likelihood of an image gains less."""
