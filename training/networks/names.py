"""Which networks there are, what timm knows of each, and whether one may be named."""

import difflib
from collections.abc import Collection
from typing import NamedTuple

from training.networks import BACKBONES
from training.networks.embedded import EMBEDDED
from training.networks.weights import UNKNOWN


class Known(NamedTuple):
    """One network that `--network` takes."""

    name: str
    input_size: int | None
    """Side in pixels of the images that its weights were learned with; None of ours, which take any."""
    weights: str
    """embedded, hub, or none: what `--pretrained default` takes."""
    licence: str
    """Of those weights, as timm states it; empty where there are none."""


def find_fault(network: str) -> str:
    """Why `--network` cannot be this, with the nearest names; empty where it can.

    timm, 3 s to load, is asked only for a name that is neither ours nor embedded.
    """
    if network in BACKBONES or network in EMBEDDED:
        return ""
    own = f"must be {', '.join(BACKBONES)}, or a model of timm"
    try:
        import timm
    except ImportError:
        return f"{own}, which is not installed here: `pip install timm`"
    name, _, tag = network.partition(".")
    known: Collection[str] = timm.list_models()
    # not asked of timm alone: it takes names of the hub, which are not in its list
    if name in known and (not tag or network in timm.list_pretrained()):
        return ""
    names = timm.list_pretrained(f"{name}.*") if name in known else [*BACKBONES, *known]
    close = difflib.get_close_matches(network, names, n=3)
    return f"{own}; `dc3 networks WORD` lists them" + (f" (did you mean {' or '.join(close)}?)" if close else "")


def list_networks(word: str = "") -> list[Known]:
    """Those whose name contains `word`: ours, the embedded ones, then all others by name.

    A model of timm that has several sets of weights is there once for each, by the name that takes it.
    """
    import timm

    ours = [Known(name, None, "none", "") for name in BACKBONES]
    have_weights = timm.list_pretrained()
    bare = set(timm.list_models()) - {name.partition(".")[0] for name in have_weights}
    names = [*EMBEDDED, *sorted({*have_weights, *bare}, key=str.casefold)]
    return [known for known in ours if word in known.name] + [_ask_timm(name) for name in names if word in name]


def _ask_timm(name: str) -> Known:
    import timm

    about = timm.get_pretrained_cfg(name)
    licence = about.license or UNKNOWN
    if name in EMBEDDED:
        return Known(name, about.input_size[-1], "embedded", licence)
    return Known(name, about.input_size[-1], *(("hub", licence) if about.has_weights else ("none", "")))


def count_weights(network: str) -> int:
    """Numbers that the network has learned, without its classifier; nothing is computed or stored for it."""
    import torch

    with torch.device("meta"):
        if network in BACKBONES:
            return sum(weight.numel() for weight in BACKBONES[network](32).parameters())
        import timm

        return sum(weight.numel() for weight in timm.create_model(network, num_classes=0).parameters())
