"""What a sorting is fitted on, what it changes, and how it is kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.predictions import Predictions
from tests.contracts.sorting_checks import draw, fit
from training.options import SortingOptions
from training.sorting import SORTINGS, apply, predicts_ambiguity
from training.sorting.apply import fit_sorting, sort_predictions
from training.sorting.confidence import ConfidenceSorting
from training.sorting.stored import read_sorting, write_sorting

CONFIDENCE = SortingOptions("confidence")
PARTS = ("labelled", "unlabelled", "validation", "test", "waiting")


def make_predictions(n: int = 200) -> Predictions:
    classes, clusters, ambiguity, features = draw(n)
    votes = np.random.default_rng(0).multinomial(5, [0.5, 0.3, 0.2], n)
    names, parts = np.arange(n).astype(str), np.array(PARTS)[np.arange(n) % len(PARTS)]
    return Predictions(names, parts, classes, clusters, ambiguity, features, votes, ("a", "b", "c"))


def assert_fitted_on_training_images_alone(name: str) -> None:
    """Other validation, test and waiting images, and other votes of all, give the same sorting."""
    here, others = make_predictions(), draw(200, seed=9)
    training = np.isin(here.parts, ("labelled", "unlabelled"))
    swapped = here._replace(
        votes=here.votes[::-1],
        **{
            field: np.where(training.reshape(-1, *[1] * (values.ndim - 1)), getattr(here, field), values)
            for field, values in zip(("classes", "clusters", "ambiguity", "embedding"), others, strict=True)
        },
    )
    one, other = (fit_sorting(seen, SortingOptions(name), 0.6, 0).state_dict() for seen in (here, swapped))
    assert all(torch.equal(one[buffer], other[buffer]) for buffer in one)


@pytest.mark.parametrize("name", SORTINGS)
def test_a_sorting_is_fitted_on_training_images_alone(name: str) -> None:
    assert_fitted_on_training_images_alone(name)


@pytest.mark.parametrize("part", ["validation", "test", "waiting"])
def test_one_that_sees_other_images_is_found(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "TRAINING_PARTS", (*apply.TRAINING_PARTS, part))
    with pytest.raises(AssertionError):
        assert_fitted_on_training_images_alone("confidence")


def test_sorting_changes_clusters_and_ambiguity_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_predictions()
    for values in before[2:6]:
        values.flags.writeable = False  # as they come out of a file
    sorting = fit_sorting(before, CONFIDENCE, 0.6, 0)
    after = sort_predictions(before, sorting)
    for field in Predictions._fields:
        same = np.array_equal(getattr(before, field), getattr(after, field))
        assert same is (field not in ("clusters", "ambiguity")), field
    monkeypatch.setattr(apply, "_BATCH", 7)
    in_batches = sort_predictions(before, sorting)
    np.testing.assert_allclose(in_batches.clusters, after.clusters, atol=1e-6)
    by_network = sort_predictions(before, fit_sorting(before, SortingOptions(), 0.6, 0))
    np.testing.assert_array_equal(by_network.clusters, before.clusters)


@pytest.mark.parametrize(
    ("variant", "sorting", "expected"),
    [
        ("vanilla", "network", False),
        ("inverse_ce", "network", False),
        ("vanilla", "confidence", True),
        ("dc3", "network", True),
        ("cc", "confidence", True),
        ("a variant of a later version", "network", True),
    ],
)
def test_a_run_predicts_ambiguity_by_its_variant_or_its_sorting(variant: str, sorting: str, expected: bool) -> None:
    assert predicts_ambiguity(variant, sorting) is expected


@pytest.mark.parametrize("content", [b"", b"no sorting", b"PK\x03\x04"])
def test_a_file_that_is_no_sorting_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sorting.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"is not what a run wrote as its sorting: .*dc3 sort"):
        read_sorting(tmp_path / "sorting.pt")


def test_a_file_cut_short_or_of_an_unknown_sorting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sorting.pt"
    with pytest.raises(InputError, match="not what a run wrote"):
        read_sorting(path)
    write_sorting(fit(ConfidenceSorting, draw(60)), CONFIDENCE, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not what a run wrote"):
        read_sorting(path)
    write_sorting(fit(ConfidenceSorting, draw(60)), SortingOptions("gone"), path)
    with pytest.raises(InputError, match="known are network, confidence"):
        read_sorting(path)
