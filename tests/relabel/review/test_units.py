"""Which questions a proposal folder makes."""

from pathlib import Path

import pytest

from data.proposals import MIXED, read_proposal_folder
from relabel.review.table import proposals_of
from relabel.review.units import LARGEST_GRID, Certain, Unit, list_units


def units_of(folder: Path, certain: Certain = "single") -> list[Unit]:
    bundle = read_proposal_folder(folder)
    return list_units(bundle, proposals_of(bundle), certain)


@pytest.mark.parametrize("certain", ["single", "grid"])
def test_every_image_is_asked_once(digits: Path, certain: Certain) -> None:
    images = [image for unit in units_of(digits, certain) for image in unit.images]
    assert sorted(images) == sorted(proposals_of(read_proposal_folder(digits)))


@pytest.mark.parametrize("certain", ["single", "grid"])
def test_the_control_arm_is_single_and_without_proposal(digits: Path, certain: Certain) -> None:
    proposals = proposals_of(read_proposal_folder(digits))
    control = [unit for unit in units_of(digits, certain) if proposals[unit.images[0]].arm == "control"]
    assert len(control) == sum(row.arm == "control" for row in proposals.values()) > 5
    assert all(not unit.grid and unit.proposal == "" and len(unit.images) == 1 for unit in control)


def test_images_of_a_cluster_without_class_are_single_and_without_proposal(digits: Path) -> None:
    bundle = read_proposal_folder(digits)
    mixed = set(bundle.clusters["cluster"][bundle.clusters["proposal"] == MIXED])
    inside = {row.image for row in proposals_of(bundle).values() if row.cluster in mixed}
    units = [unit for unit in units_of(digits) if inside & set(unit.images)]
    assert len(units) == len(inside) > 5
    assert all(not unit.grid and unit.proposal == "" for unit in units)


def test_a_grid_starts_with_the_most_typical_image_and_has_the_edited_proposal(digits: Path) -> None:
    bundle = read_proposal_folder(digits)
    clusters = bundle.clusters.assign(proposal=bundle.clusters["proposal"].replace("7", "3"))
    proposals = proposals_of(bundle)
    grids = [unit for unit in list_units(bundle._replace(clusters=clusters), proposals, "single") if unit.grid]
    assert {unit.proposal for unit in grids} == {"1", "3"}
    for unit in grids:
        ranks = [proposals[image].rank for image in unit.images]
        assert ranks == sorted(ranks)


def test_large_groups_are_cut_evenly(digits: Path) -> None:
    bundle = read_proposal_folder(digits)
    proposals = {
        name: row._replace(decision="class", proposal="0", arm="proposal") for name, row in proposals_of(bundle).items()
    }
    sizes = [len(unit.images) for unit in list_units(bundle, proposals | {"x": next(iter(proposals.values()))}, "grid")]
    assert sizes == [40, 40, 41]
    assert max(sizes) <= LARGEST_GRID
