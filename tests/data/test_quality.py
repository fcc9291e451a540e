"""What figures become in words, and where the borders lie."""

import math

import pytest

from data.quality import auroc_interval, binomial_interval, describe_quality

MEASURED = {
    "proposals_right": 0.406,
    "proposals_right_shuffled": 0.2,
    "proposals_right_commonest": 0.35,
    "measured_images": 1200.0,
    "ambiguity_auroc": 0.6,
    "disputed_images": 600.0,
}


def test_intervals_of_the_docstrings() -> None:
    assert binomial_interval(0.5, 100) == pytest.approx((0.404, 0.596), abs=5e-4)
    assert auroc_interval(0.7, 50, 50) == pytest.approx((0.586, 0.814), abs=5e-4)


def test_intervals_stay_within_their_range_and_a_handful_proves_nothing() -> None:
    assert binomial_interval(0, 5)[0] == 0
    assert binomial_interval(1, 5)[1] == 1
    low, high = auroc_interval(1.0, 1, 1)
    assert low < 0.5
    assert high == 1


def test_figures_become_sentences_with_what_they_are_compared_to() -> None:
    found = describe_quality(MEASURED)
    assert found.words == (
        "Right proposals: 40.6% of 1,200 validation images (37.9% to 43.4%); 20.0% with the clusters shuffled; 35.0% by"
        " proposing the commonest class for every image.",
        "The proposals are right more often than the commonest class.",
        "Ambiguity, AUROC (0.5 is chance): 0.60 for images whose annotators disagree (0.57 to 0.63).",
        "The ambiguity is better than chance, but weak: sort by it, do not decide by it.",
    )
    assert (found.proposals_help, found.ambiguity_helps) == (True, True)


def test_no_better_than_the_commonest_class_is_said_with_what_to_do() -> None:
    found = describe_quality(MEASURED | {"proposals_right": 0.164})
    assert found.proposals_help is False
    assert "no better than the commonest class: do not show them to annotators" in " ".join(found.words)


@pytest.mark.parametrize(("right", "n", "helps"), [(0.37, 1200, False), (0.37, 12000, True), (0.35, 12000, False)])
def test_no_better_means_that_the_interval_holds_the_other(right: float, n: float, helps: bool) -> None:
    assert describe_quality(MEASURED | {"proposals_right": right, "measured_images": n}).proposals_help is helps


def test_an_ambiguity_of_chance_is_not_to_be_shown() -> None:
    found = describe_quality(MEASURED | {"ambiguity_auroc": 0.51})
    assert found.ambiguity_helps is False
    assert found.words[-1] == (
        "The ambiguity is not shown to be better than chance: do not show it to annotators, nor sort by it."
    )


def test_one_border_is_enough_where_the_other_is_noise() -> None:
    clear = {"ambiguity_auroc": 0.51, "ambiguity_auroc_clear": 0.72, "clearly_disputed_images": 150.0}
    found = describe_quality(MEASURED | clear)
    assert found.ambiguity_helps is True
    assert "0.51 for images whose annotators disagree" in found.words[2]
    assert "0.72 for images whose top class has below 80 % of the votes" in found.words[2]
    assert found.words[3] == "The ambiguity finds disputed images: sort by it."


def test_a_model_without_ambiguity_or_of_one_mind_is_not_judged_by_it() -> None:
    blind = {name: value for name, value in MEASURED.items() if "ambiguity" not in name}
    found = describe_quality(blind)
    assert (found.proposals_help, found.ambiguity_helps) == (True, None)
    assert found.words[-1].startswith("Ambiguity: not measured")


def test_the_interval_of_the_ambiguity_hangs_on_how_many_are_disputed() -> None:
    """Many disputed and few others are another case than few disputed and many others."""
    few = describe_quality(MEASURED | {"ambiguity_auroc": 0.6, "disputed_images": 10.0, "measured_images": 1010.0})
    low, high = auroc_interval(0.6, 10, 1000)
    assert f"({low:.2f} to {high:.2f})" in few.words[2]
    low, high = auroc_interval(0.6, 1000, 10)
    assert f"({low:.2f} to {high:.2f})" not in few.words[2]


def test_a_good_ambiguity_begins_at_the_border_itself() -> None:
    many = {"measured_images": 12000.0, "disputed_images": 6000.0}
    assert describe_quality(MEASURED | many | {"ambiguity_auroc": 0.7}).words[-1].endswith("images: sort by it.")
    assert "but weak" in describe_quality(MEASURED | many | {"ambiguity_auroc": 0.699}).words[-1]


def test_a_part_without_images_measures_nothing() -> None:
    assert describe_quality(MEASURED | {"measured_images": 0.0}).proposals_help is None


@pytest.mark.parametrize("old", [{}, {"f1": 0.8, "ambiguity_auroc": 0.7}, {"proposals_right": math.nan}])
def test_figures_of_before_are_called_not_measured(old: dict[str, float]) -> None:
    assert describe_quality(old) == (("How good this model is was not measured.",), None, None)


def test_nothing_is_said_against_a_commonest_class_that_is_not_known() -> None:
    found = describe_quality({name: value for name, value in MEASURED.items() if "commonest" not in name})
    assert found.proposals_help is None
