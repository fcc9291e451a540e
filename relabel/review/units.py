"""What is put before an annotator at one time: a grid of images that share a proposal, or one image."""

from itertools import pairwise
from typing import Literal, NamedTuple

from data.proposals import MIXED, Proposal, ProposalFolder

LARGEST_GRID = 60
"""Images of one grid; with 200 of them a click took 0.86 s in Label Studio, and nobody looks at so many."""
Certain = Literal["single", "grid"]


class Unit(NamedTuple):
    """One question."""

    id: str
    """The same after a restart: what it is and of which cluster, class or image."""
    images: tuple[str, ...]
    """Names, most typical first."""
    proposal: str
    """The class that is shown as proposed, or empty."""
    grid: bool
    """Judged as a whole, without the images that the annotator excludes."""
    caption: str
    gain_per_minute: float


def list_units(bundle: ProposalFolder, proposals: dict[str, Proposal], certain: Certain) -> list[Unit]:
    """All questions of a proposal folder, each image in exactly one.

    Clusters are grids. Images of the control arm and of clusters without a proposed class are single and show none;
    certain images are single with their class, or grids of one class where `certain` says so.
    """
    rows = {row.cluster: row for row in bundle.clusters.itertuples()}
    grids: dict[tuple[str, str], list[Proposal]] = {}
    units = []
    for image in proposals.values():
        if image.arm == "control":
            units.append(single_unit(image, ""))
        elif image.decision == "cluster":
            if rows[image.cluster].proposal == MIXED:
                units.append(single_unit(image, ""))
            else:
                grids.setdefault(("cluster", image.cluster), []).append(image)
        elif certain == "grid":
            grids.setdefault(("class", image.proposal), []).append(image)
        else:
            units.append(single_unit(image, image.proposal))
    for (kind, name), members in grids.items():
        if kind == "cluster":
            proposal, caption, gain = rows[name].proposal, rows[name].caption, float(rows[name].gain_per_minute)
            units += _split(f"cluster:{name}", members, proposal, caption, gain)
        else:
            units += _split(f"class:{name}", members, name, f"surely {name}", None)
    return units


def single_unit(image: Proposal, proposal: str, prefix: str = "image") -> Unit:
    """The question for one image."""
    return Unit(f"{prefix}:{image.image}", (image.image,), proposal, False, "", float(image.gain_per_minute))


def _split(name: str, members: list[Proposal], proposal: str, caption: str, gain: float | None) -> list[Unit]:
    """Grids of at most LARGEST_GRID images and of nearly equal size; a class's gain is the mean of its images'."""
    members = sorted(members, key=lambda image: image.rank)
    n_parts = -(-len(members) // LARGEST_GRID)
    cuts = [len(members) * part // n_parts for part in range(n_parts + 1)]
    units = []
    for part, (first, last) in enumerate(pairwise(cuts)):
        images = members[first:last]
        worth = sum(image.gain_per_minute for image in images) / len(images) if gain is None else gain
        names = tuple(image.image for image in images)
        units.append(Unit(f"{name}:{part}", names, proposal, True, caption, float(worth)))
    return units
