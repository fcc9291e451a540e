import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from relabel.cost import Cost, cluster_seconds
from relabel.simulate.annotators import (
    NO_CLASS,
    AnnotatorModel,
    DataSet,
    TimeModel,
    answer_again,
    answer_cluster,
    answer_image,
    check_models,
    without,
)

TRUTH = np.array([0.5, 0.3, 0.2])
EXACT = TimeModel(spread=0.0)
N = 4000


def _close(share: float) -> float:
    """Four standard errors of a share among N draws."""
    return 4 * np.sqrt(share * (1 - share) / N) + 1e-12


@pytest.mark.parametrize("d", [0.0, 0.26, 0.65])
@pytest.mark.parametrize("proposal", [0, 2])
def test_acceptance_rate_equals_the_formula(d: float, proposal: int) -> None:
    generator = np.random.default_rng(1)
    answers = [answer_image(TRUTH, proposal, generator, AnnotatorModel(d=d), EXACT) for _ in range(N)]
    accepted = np.array([answer.outcome == "accepted" for answer in answers])
    expected = d + (0.99 - d) * TRUTH[proposal]
    assert accepted.mean() == pytest.approx(expected, abs=_close(expected))
    assert {answer.label for answer, yes in zip(answers, accepted, strict=True) if yes} == {proposal}
    assert proposal not in {answer.label for answer, yes in zip(answers, accepted, strict=True) if not yes}


def test_changed_answers_follow_the_other_votes() -> None:
    generator = np.random.default_rng(2)
    answers = [answer_image(TRUTH, 0, generator, AnnotatorModel(d=0.0), EXACT) for _ in range(N)]
    labels = np.array([answer.label for answer in answers if answer.outcome == "changed"])
    assert (labels == 1).mean() == pytest.approx(0.6, abs=0.05)


def test_without_a_proposal_the_votes_are_drawn() -> None:
    generator = np.random.default_rng(3)
    answers = [answer_image(TRUTH, None, generator, AnnotatorModel(), EXACT) for _ in range(N)]
    shares = np.bincount([answer.label for answer in answers]) / N
    np.testing.assert_allclose(shares, TRUTH, atol=_close(0.5))
    assert {(answer.outcome, answer.seconds) for answer in answers} == {("manual", EXACT.cost.single_seconds)}


@settings(max_examples=50)
@given(st.integers(0, 4), st.integers(0, 999))
def test_a_class_without_votes_is_never_drawn(only: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    assert answer_image(np.eye(5)[only], None, generator, AnnotatorModel(), EXACT).label == only


def test_times_scatter_about_their_mean() -> None:
    generator = np.random.default_rng(4)
    times = [answer_image(TRUTH, 0, generator, AnnotatorModel(), TimeModel()).seconds for _ in range(N)]
    # log-normal of spread 0.5: standard deviation 0.533 of the mean
    assert np.mean(times) == pytest.approx(0.4 * 1.9, rel=4 * 0.533 / np.sqrt(N))
    assert np.std(np.log(times)) == pytest.approx(0.5, rel=0.05)


def test_members_stay_in_a_cluster_by_the_formula() -> None:
    generator, model = np.random.default_rng(5), AnnotatorModel(d=0.2, mixed_below=0.0)
    suspects = np.arange(N) % 2 == 0
    answer = answer_cluster(np.tile([0.7, 0.2, 0.1], (N, 1)), 0, suspects, generator, model, EXACT)
    assert (answer.label, answer.outcome) == (0, "accepted")
    stays = 0.2 + 0.79 * 0.7
    taken_out_on_advice = 0.2 + 0.79 * 0.3
    assert answer.belongs[~suspects].mean() == pytest.approx(stays, abs=0.05)
    assert 1 - answer.belongs[suspects].mean() == pytest.approx(taken_out_on_advice, abs=0.05)
    assert answer.seconds == pytest.approx(cluster_seconds(N, EXACT.cost))


def test_a_cluster_of_another_class_is_changed() -> None:
    truths = np.tile([0.0, 1.0, 0.0], (50, 1))
    answer = answer_cluster(truths, 0, np.zeros(50, bool), np.random.default_rng(6), AnnotatorModel(d=0.05), EXACT)
    assert (answer.label, answer.outcome) == (1, "changed")
    assert answer.belongs.mean() > 0.8


def test_a_cluster_of_everything_is_mixed() -> None:
    truths = np.full((200, 4), 0.25)
    answer = answer_cluster(truths, 0, np.zeros(200, bool), np.random.default_rng(7), AnnotatorModel(d=0.0), EXACT)
    assert (answer.label, answer.outcome) == (NO_CLASS, "skipped")
    assert not answer.belongs.any()


def test_the_same_generator_state_gives_the_same_answers() -> None:
    first, second = (
        answer_cluster(
            np.tile(TRUTH, (30, 1)), 0, np.zeros(30, bool), np.random.default_rng(8), AnnotatorModel(), TimeModel()
        )
        for _ in range(2)
    )
    assert first.seconds == second.seconds
    np.testing.assert_array_equal(first.belongs, second.belongs)


def test_a_slip_goes_to_any_other_class() -> None:
    np.testing.assert_allclose(without(np.array([0.0, 1.0, 0.0]), 1), [0.5, 0.0, 0.5])
    np.testing.assert_allclose(without(TRUTH, 0), [0.0, 0.6, 0.4])


def test_worked_example_of_the_acceptance() -> None:
    np.testing.assert_allclose(AnnotatorModel().accepts(np.array([0.0, 1.0])), [0.26, 0.99])


@pytest.mark.parametrize(
    ("name", "d"),
    [
        ("cifar10h", 0.0),
        ("qualitymri", 0.0),
        ("turkey", 0.14),
        ("pig", 0.26),
        ("treeversity1", 0.26),
        ("benthic", 0.40),
        ("micebone", 0.41),
        ("plankton", 0.65),
    ],
)
def test_d_of_a_data_set_is_the_published_one(name: DataSet, d: float) -> None:
    model = AnnotatorModel(d=name)
    check_models(model, TimeModel())
    assert model.offset == d
    np.testing.assert_allclose(model.accepts(np.array([0.0, 1.0])), [d, 0.99])


def test_in_one_round_an_annotator_says_again_what_he_saw() -> None:
    truths = np.tile(TRUTH, (N, 1))
    generator = np.random.default_rng(0)
    model = AnnotatorModel(d=0.0, full_acceptance=1.0, mixed_below=0.0)
    answer = answer_cluster(truths, 0, np.zeros(N, bool), generator, model, EXACT)
    np.testing.assert_array_equal(answer.belongs, answer.seen == answer.label)
    out = answer.seen[~answer.belongs]
    again = [answer_again(int(seen), generator, EXACT) for seen in out]
    assert [one.label for one in again] == out.tolist()
    assert {one.outcome for one in again} == {"manual"}
    # who ignores proposals names the cluster's class as often as without: a fresh draw would give it a second chance
    final = np.where(answer.belongs, answer.label, answer.seen)
    assert (final == 0).mean() == pytest.approx(TRUTH[0], abs=0.02)


def test_impossible_models_are_refused_with_all_faults() -> None:
    with pytest.raises(InputError, match=r"(?s)they are 1\.2 and 0\.99.*single-seconds must be above 0.*spread"):
        check_models(AnnotatorModel(d=1.2), TimeModel(Cost(single_seconds=0), spread=-1))
