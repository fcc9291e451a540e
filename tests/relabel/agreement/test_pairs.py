"""Who is compared with whom."""

import numpy as np
import pandas as pd
import pytest

from relabel.agreement.bootstrap import Draws
from relabel.agreement.coefficients import cohen_kappa, count_pair
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.pairs import Seats, mean_kappa, pairs_between, pairs_within, take_seats
from tests.relabel.agreement.players import answer, make_setting


@pytest.fixture
def verdicts() -> pd.DataFrame:
    """Three people, two rounds, 60 images."""
    return answer(make_setting(60, 3, 0), 0.2, 3, 2, 0)


def seats_of(verdicts: pd.DataFrame) -> Seats:
    evidence = gather_evidence(verdicts)
    return take_seats(evidence.labels, len(evidence.images), len(evidence.classes))


def test_repetitions_are_ordered_by_round_then_time(verdicts: pd.DataFrame) -> None:
    evidence = gather_evidence(verdicts.sample(frac=1, random_state=0))
    seats = take_seats(evidence.labels, 60, len(evidence.classes))
    mine = evidence.labels[(evidence.labels["annotator"] == "person 1") & (evidence.labels["round"] == 2)]
    seat = [*zip(seats.annotators, seats.repetitions, strict=True)].index(("person 1", 1))
    np.testing.assert_array_equal(seats.labels[mine["row"], seat], mine["class"])


def test_an_answer_to_an_image_sent_back_is_neither_the_first_nor_a_repetition(verdicts: pd.DataFrame) -> None:
    first = verdicts[verdicts["round"] == 1].assign(unit="cluster")
    # an hour later in the same round, and another class for each
    later = (pd.to_datetime(first["at"]) + pd.Timedelta(hours=1)).map(lambda time: time.isoformat())
    other = first["label"].map({"class 0": "class 1", "class 1": "class 2", "class 2": "class 0"})
    again = first.assign(at=later, label=other, unit="image")
    for table in (pd.concat([first, again]), pd.concat([again, first])):
        seats = seats_of(table)
        assert seats.repetitions == (0, 0, 0)
        np.testing.assert_array_equal(seats.labels, seats_of(first).labels)


def test_of_two_answers_to_the_same_question_the_last_counts(verdicts: pd.DataFrame) -> None:
    first = verdicts[verdicts["round"] == 1]
    later = (pd.to_datetime(first["at"]) + pd.Timedelta(hours=1)).map(lambda time: time.isoformat())
    anew = first.assign(at=later, label="class 0")
    for table in (pd.concat([first, anew]), pd.concat([anew, first])):
        seats = seats_of(table)
        assert seats.repetitions == (0, 0, 0)
        assert (seats.labels == 0).all()


def test_pairs_are_of_one_annotator_or_of_one_repetition(verdicts: pd.DataFrame) -> None:
    seats = seats_of(verdicts)
    assert len(pairs_within(seats)) == 3
    assert len(pairs_within(seats, "person 0")) == 1
    assert len(pairs_between(seats)) == 2 * 3


def test_repetitions_do_not_pass_for_other_people(verdicts: pd.DataFrame) -> None:
    assert (seats_of(verdicts).counts().sum(1) == 3).all()


def test_mean_is_weighted_by_shared_images(verdicts: pd.DataFrame) -> None:
    few = verdicts[(verdicts["annotator"] != "person 2") | verdicts["image"].isin([f"{n}.png" for n in range(20)])]
    seats = seats_of(few)
    pairs = pairs_between(seats)
    assert sorted(pair.shared for pair in pairs) == [20, 20, 20, 20, 60, 60]
    kappas = [cohen_kappa(count_pair(seats.labels[:, a], seats.labels[:, b], 3)) for a, b, _ in pairs]
    found = mean_kappa(seats, pairs, Draws(60, 200, 0))
    assert found.value == pytest.approx(np.average(kappas, weights=[pair.shared for pair in pairs]))
    assert (found.images, found.pairs, found.seats) == (60, 200, 6)
    assert np.percentile(found.samples, 2.5) < found.value < np.percentile(found.samples, 97.5)


def test_pairs_that_share_few_images_are_left_out(verdicts: pd.DataFrame) -> None:
    few = verdicts[(verdicts["annotator"] == "person 0") | verdicts["image"].isin([f"{n}.png" for n in range(9)])]
    assert pairs_between(seats_of(few)) == []
