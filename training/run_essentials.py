"""What tells runs apart at a glance, as the run's page and its model card show it."""

from dataclasses import asdict

from training.config import Config, flatten
from training.networks.origin import find_origin
from training.sorting import SORTINGS

PART_OF_THE_NETWORK = ("freeze", "input_size", "hidden", "dropout", "mirror")
"""Shown where they are not at what a training from scratch has."""
REST = ("size", "steps", "batch_size", "lr", "labels", "prior", "inverse_ce_labelled", "inverse_ce_unlabelled",
        "ambiguity_weight", "similarity_weight", "sorting", "ambiguous_share", "ambiguous_from", "seed")  # fmt: skip


def list_essentials(config: Config) -> dict[str, object]:
    """Options by name; the backbone's weights and their licence, and in words a sorting other than the paper's."""
    flat = flatten(asdict(config))
    origin = find_origin(config.network.network, config.network.pretrained)
    found: dict[str, object] = {"network": config.network.network}
    found["weights"] = origin.source or "drawn at random before the training"
    if origin.licence:
        found["licence of the weights"] = origin.licence
    usual = flatten(asdict(Config()))
    found |= {name: flat[name] for name in PART_OF_THE_NETWORK if flat[name] != usual[name]}
    found |= {name: flat[name] for name in REST if flat[name] is not None}
    sorting = SORTINGS.get(config.sorting.sorting)
    if sorting is not None and sorting.gives_ambiguity:
        found["sorting"] = f"{config.sorting.sorting}: {sorting.words}"
    return found
