"""`dc3 networks`: which names `--network` takes, with the size, number of weights and licence of each."""

from dataclasses import dataclass
from typing import Annotated

import tyro

COUNTED = 12
"""Names up to which the weights are counted: each network is laid out for it, a tenth of a second or more."""


@dataclass(frozen=True)
class NetworksOptions:
    """What to look for."""

    word: Annotated[str, tyro.conf.Positional] = ""
    """Part of a name, such as lite, dinov2, clip or resnet18; all names where it is left out."""


def main(argv: list[str]) -> int:
    """Lists the networks: ours first, then those whose weights are embedded, then all of timm."""
    description = "Lists what --network takes: our own networks and all models of timm."
    options = tyro.cli(NetworksOptions, args=argv, prog="dc3 networks", description=description)
    from data.errors import InputError
    from training.networks.names import count_weights, find_fault, list_networks

    found = list_networks(options.word)
    if not found:
        raise InputError(f"No network has {options.word!r} in its name: {find_fault(options.word)}.")
    width = max(len(known.name) for known in found)
    counted = len(found) <= COUNTED
    print(f"{'network':<{width}}  {'input':>6}  {'weights':>9}  from      licence")
    for known in found:
        size = f"{known.input_size} px" if known.input_size else "any"
        millions = f"{count_weights(known.name) / 1e6:.1f} M" if counted else ""
        print(f"{known.name:<{width}}  {size:>6}  {millions:>9}  {known.weights:<8}  {known.licence}".rstrip())
    print(
        f"\n{len(found)} networks. `from` is what --pretrained default takes: embedded weights need no network connection,"
        " those of the hub are\ndownloaded. `input` is the size they were learned with (--input-size). docs/networks.md"
        " says which to take."
    )
    if not counted:
        print(f"Weights are counted where up to {COUNTED} names are shown.")
    return 0
