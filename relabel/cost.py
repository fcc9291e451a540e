"""What an annotator's answer costs in time: the ranking reckons with it, and simulated annotators take it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """Mean times of an annotator's answers."""

    single_seconds: float = 1.9
    """One image without a proposal: the paper's Table 3, CIFAR-10H without proposals, three annotators, 31.9 minutes
    for 10 % of 10,000 images."""
    check_ratio: float = 0.4
    """Check of a proposal, whatever the answer, in images without one (CleverLabel's code, arXiv 2305.12811; Table 3's
    SSL and free columns on CIFAR-10H give 0.38)."""
    member_ratio: float = 0.2
    """Each further member of a cluster, likewise; the first costs a check. Our assumption, half a check: no published
    figure tells clusters apart from single images."""


def check_seconds(cost: Cost) -> float:
    """Mean time for the check of one image's proposal."""
    return cost.check_ratio * cost.single_seconds


def cluster_seconds(n_members: int, cost: Cost) -> float:
    """Mean time for a look at a cluster: a check, and something for each further member.

    Example: 11 members at the defaults cost (0.4 + 10 * 0.2) * 1.9 = 4.56 s, 0.41 s each.
    """
    return (cost.check_ratio + cost.member_ratio * (n_members - 1)) * cost.single_seconds


def list_cost_faults(cost: Cost) -> list[str]:
    """Every value out of range, in words."""
    checks = {
        f"single-seconds must be above 0, it is {cost.single_seconds}": cost.single_seconds > 0,
        f"check-ratio must be above 0, it is {cost.check_ratio}": cost.check_ratio > 0,
        f"member-ratio must be 0 or more, it is {cost.member_ratio}": cost.member_ratio >= 0,
    }
    return [text for text, holds in checks.items() if not holds]
