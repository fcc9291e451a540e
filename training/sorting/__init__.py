"""Sortings: what is certain, and which cluster, decided after the training by one plug-in each."""

from training.losses.dc3 import VARIANTS
from training.sorting.confidence import ConfidenceSorting
from training.sorting.network import NetworkSorting
from training.sorting.sorting import Sorting

SORTINGS: dict[str, type[Sorting]] = {
    "network": NetworkSorting,
    "confidence": ConfidenceSorting,
}


def predicts_ambiguity(variant: str, sorting: str) -> bool:
    """Whether a run tells ambiguous images from certain ones: its variant learns it, or its sorting gives it.

    Names of plug-ins that are gone count as if they did, as the record of such a run still has its ambiguity.
    """
    learnt = variant not in VARIANTS or VARIANTS[variant].ambiguity_aware
    return learnt or sorting not in SORTINGS or SORTINGS[sorting].gives_ambiguity
