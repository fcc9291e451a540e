"""Every sorting of SORTINGS keeps its contract, and the suite rejects faulty ones; a new sorting adds no line here."""

from collections.abc import Callable
from typing import Self

import pytest
import torch
from torch import Tensor, nn

from tests.contracts import sorting_checks as checks
from tests.contracts.sorting_checks import CHECKS, Kind
from training.options import SortingOptions
from training.sorting import SORTINGS
from training.sorting.confidence import ConfidenceSorting
from training.sorting.network import NetworkSorting
from training.sorting.sorting import Seen, Sorting


@pytest.mark.parametrize("name", SORTINGS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Kind], None], name: str) -> None:
    check(SORTINGS[name])


class Trained(NetworkSorting):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))


class NoDistribution(ConfidenceSorting):
    def forward(self, classes, clusters, ambiguity, features):  # type: ignore[no-untyped-def]
        sorted_clusters, doubt = super().forward(classes, clusters, ambiguity, features)
        return sorted_clusters * 2, doubt


class ByTheBatch(ConfidenceSorting):
    """Ambiguous is the less certain half of whatever comes together."""

    def forward(self, classes, clusters, ambiguity, features):  # type: ignore[no-untyped-def]
        sorted_clusters, doubt = super().forward(classes, clusters, ambiguity, features)
        return sorted_clusters, (doubt - doubt.mean()).sigmoid()


class InPlace(NetworkSorting):
    def forward(self, classes, clusters, ambiguity, features):  # type: ignore[no-untyped-def]
        return clusters, ambiguity.mul_(0.5)


class Drawn(ConfidenceSorting):
    @classmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        return super().fit(seen, options, prior, int(torch.randint(1000, ())))


class Forgets(ConfidenceSorting):
    """The border is no buffer: read again it is another one."""

    def __init__(self, centres: Tensor, owners: Tensor, mean: Tensor, gap: Tensor, border: Tensor | None = None):  # type: ignore[no-untyped-def]
        super().__init__(torch.tensor(0.9) if border is None else border, centres, owners, mean, gap)
        kept = self.border
        del self.border
        self.border = kept

    @classmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        right = ConfidenceSorting.fit(seen, options, prior, seed)
        return cls(**right.state_dict())


class ValueAsCondition(ConfidenceSorting):
    def forward(self, classes, clusters, ambiguity, features):  # type: ignore[no-untyped-def]
        if ambiguity.mean() > 0.4:
            return clusters, ambiguity
        return super().forward(classes, clusters, ambiguity, features)


class Undeclared(ConfidenceSorting):
    gives_ambiguity = False


class Silent(NetworkSorting):
    gives_ambiguity = True


class ManyWanted(Sorting):
    """A centre for each of the first images, as if there were always enough."""

    gives_ambiguity = False
    rows: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows)

    @classmethod
    def fit(cls, seen: Seen, options: SortingOptions, prior: float, seed: int) -> Self:
        return cls(torch.from_numpy(seen.features[: seen.clusters.shape[1]]))

    def forward(self, classes, clusters, ambiguity, features):  # type: ignore[no-untyped-def]
        return (features @ self.rows.T).softmax(1), ambiguity

    def facts(self) -> dict[str, float]:
        return {"rows": len(self.rows)}


FAULTS: list[tuple[Kind, Callable[[Kind], None]]] = [
    (Trained, checks.holds_buffers_alone),
    (NoDistribution, checks.gives_probabilities_and_an_ambiguity),
    (ByTheBatch, checks.sorts_each_image_by_itself),
    (InPlace, checks.leaves_what_it_is_given),
    (Drawn, checks.is_the_same_for_the_same_seed),
    (Forgets, checks.is_stored_whole),
    (ValueAsCondition, checks.travels_in_the_graph),
    (Undeclared, checks.says_whether_it_gives_an_ambiguity),
    (Silent, checks.says_whether_it_gives_an_ambiguity),
    (ManyWanted, checks.can_be_fitted_on_little),
    (ManyWanted, checks.tells_plain_facts),
]


@pytest.mark.parametrize(("fault", "check"), FAULTS, ids=lambda item: item.__name__)
def test_the_suite_rejects(fault: Kind, check: Callable[[Kind], None]) -> None:
    assert check in CHECKS
    with pytest.raises(AssertionError):
        check(fault)
