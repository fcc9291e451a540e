import numpy as np
import pytest

from relabel.cost import Cost, check_seconds, cluster_seconds, list_cost_faults
from relabel.propose.ranking import member_minutes
from relabel.simulate.annotators import AnnotatorModel, TimeModel, answer_cluster, answer_image

COST = Cost(single_seconds=3.0, check_ratio=0.5, member_ratio=0.1)


def test_a_cluster_costs_less_an_image_the_larger_it_is() -> None:
    assert cluster_seconds(1, Cost()) == pytest.approx(0.4 * 1.9)
    assert cluster_seconds(11, Cost()) == pytest.approx(4.56)
    per_image = [cluster_seconds(n, Cost()) / n for n in range(1, 60)]
    assert per_image == sorted(per_image, reverse=True)


def test_the_ranking_reckons_with_the_times_that_simulated_annotators_take() -> None:
    generator, model, times = np.random.default_rng(0), AnnotatorModel(), TimeModel(COST, spread=0)
    truth = np.array([0.7, 0.3])
    alone = answer_image(truth, None, generator, model, times).seconds
    checked = answer_image(truth, 0, generator, model, times).seconds
    whole = answer_cluster(np.tile(truth, (11, 1)), 0, np.zeros(11, bool), generator, model, times).seconds
    assert (alone, checked, whole) == (3.0, check_seconds(COST), cluster_seconds(11, COST)) == (3.0, 1.5, 4.5)
    assert member_minutes(np.ones(11), COST).sum() * 60 == pytest.approx(whole)
    assert member_minutes(np.zeros(11), COST).sum() * 60 == pytest.approx(whole + 11 * alone)


def test_every_impossible_cost_is_named() -> None:
    assert list_cost_faults(Cost(member_ratio=0)) == [], "further members may cost nothing"
    assert list_cost_faults(Cost(single_seconds=0, check_ratio=0, member_ratio=-1)) == [
        "single-seconds must be above 0, it is 0",
        "check-ratio must be above 0, it is 0",
        "member-ratio must be 0 or more, it is -1",
    ]
