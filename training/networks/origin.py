"""Where a network's weights come from and under which licence, told from its options alone: nothing is loaded."""

from pathlib import Path
from typing import NamedTuple

from training.networks.embedded import EMBEDDED, LICENCE
from training.networks.weights import UNKNOWN


class Origin(NamedTuple):
    """Of the weights that a training started from."""

    source: str
    """In words; of a file its name alone, as its place is of one machine. Empty where they were drawn at random."""
    licence: str
    """As timm or the package states it; empty where they were drawn at random."""


def find_origin(network: str, pretrained: str) -> Origin:
    """Of `--network` and `--pretrained`."""
    if not pretrained:
        return Origin("", "")
    if pretrained != "default":
        return Origin(f"file {Path(pretrained).name}", UNKNOWN)
    if network in EMBEDDED:
        return Origin(f"ImageNet-1k, package {EMBEDDED[network]}", LICENCE)
    import timm

    about = timm.get_pretrained_cfg(network)
    return Origin(f"timm, {about.hf_hub_id or about.url}", about.license or UNKNOWN)
