"""Both arms are compared as they were dealt: who ignores proposals comes out so, and who does not as he is."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from data.verdicts import Verdict, to_table
from relabel.agreement.between_arms import DIFFERENCE, measure_agreement
from relabel.agreement.bias import measure_bias
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.offers import offered_answers
from relabel.agreement.proposal_effect import measure_effect
from relabel.agreement.report import describe
from relabel.agreement.report_row import Measure, MeasureOptions
from relabel.agreement.timing import take_times
from relabel.simulate.annotators import AnnotatorModel
from tests.relabel.agreement.rounds import CLASSES, IGNORES, Round, answer_round, deal, put_in

LED = AnnotatorModel(d=0.5)
MODELS = {"ignores": IGNORES, "led": LED}
FIGURES = ("harm rate", "help rate", "d", "raw agreement")
AT = "2026-01-05T09:00:{:02}+00:00"
OPTIONS = MeasureOptions(resamples=200)


def measure(dealt: Round, verdicts: pd.DataFrame) -> dict[str, Measure]:
    truth = pd.DataFrame({"image": dealt.bundle.proposals["image"], "label": np.array(CLASSES)[dealt.truth]})
    evidence = gather_evidence(verdicts, truth=truth)
    draws = evidence.draws(OPTIONS)
    agreement = [one for one in measure_agreement(evidence, OPTIONS) if one.scope == DIFFERENCE]
    found = [*measure_effect(evidence, draws), next(measure_bias(evidence, draws)), *agreement]
    return {one.name: one for one in found if one.name in FIGURES}


@pytest.mark.slow
@pytest.mark.parametrize("model", list(MODELS.values()), ids=list(MODELS))
@pytest.mark.parametrize("mixed", [0.0, 0.5, 1.0])
def test_what_was_put_in_is_found_with_no_some_and_only_mixed_clusters(mixed: float, model: AnnotatorModel) -> None:
    dealt = deal(mixed, seed=1, n_images=2400)
    verdicts = answer_round(dealt, model, 2, seed=2)
    if mixed < 1:
        assert verdicts["outcome"].isin(("skipped", "excluded")).sum() > 100, "clusters are answered mixed as well"
    found, wanted = measure(dealt, verdicts), put_in(dealt, model)
    assert {name: one.low <= wanted[name] <= one.high for name, one in found.items()} == dict.fromkeys(FIGURES, True)
    if model is IGNORES:
        assert wanted == pytest.approx(dict.fromkeys(FIGURES, 0))
    else:
        assert found["harm rate"].low > 25
        assert found["d"].low > 0.3


@pytest.mark.slow
def test_nine_in_ten_intervals_and_more_hold_what_was_put_in() -> None:
    rounds = 16
    held = {name: [] for name in FIGURES}  # type: dict[str, list[int]]
    for mixed, model in product((0.0, 0.5, 1.0), MODELS.values()):
        hits = dict.fromkeys(FIGURES, 0)
        for seed in range(rounds):
            dealt = deal(mixed, seed, n_images=960)
            wanted = put_in(dealt, model)
            for name, one in measure(dealt, answer_round(dealt, model, 2, seed)).items():
                hits[name] += one.low <= wanted[name] <= one.high
        for name, count in hits.items():
            held[name].append(count)
    # 87 of 96; by binomial chance one of a kind may lie lower, far from what a fault does to it (0 to 60 %)
    assert all(sum(counts) >= 0.9 * rounds * len(counts) for counts in held.values()), held
    assert all(count >= 0.75 * rounds for counts in held.values() for count in counts), held


def test_tables_of_before_offers_were_recorded_are_compared_by_what_clusters_had_in_view() -> None:
    dealt = deal(0.5, seed=3, n_images=2400)
    verdicts = answer_round(dealt, IGNORES, 2, seed=4)
    old = verdicts.assign(offered=None)
    mixed = set(dealt.bundle.clusters.query("proposal == 'mixed'")["cluster"])
    in_mixed = (old["cluster"].isin(mixed) & (old["arm"] == "control")).to_numpy()
    assert (old["proposal"][in_mixed] != "").all(), "the control arm records what the network said"
    evidence = gather_evidence(old)
    assert evidence.n_unrecorded == len(old)
    assert (evidence.answers["offer"][in_mixed] == -1).all()
    for name, one in measure(dealt, old).items():
        assert one.low <= 0 <= one.high, (name, one)
    summary = describe(evidence, take_times(evidence, OPTIONS), OPTIONS)["what images were offered"]
    assert f"{len(old)} answer(s) are older" in summary
    assert (
        "recorded"
        in describe(gather_evidence(verdicts), take_times(evidence, OPTIONS), OPTIONS)["what images were offered"]
    )


def verdict(image: str, second: int, **changes: object) -> Verdict:
    """A member of cluster 7, which is offered class x."""
    row = Verdict(
        image, "ann", "", 1.0, AT.format(second), 1, "review", "cluster", "7", "proposal", "x", "run", "excluded"
    )
    return row._replace(**{"offered": "x", **changes})  # type: ignore[arg-type]


def offers(verdicts: list[Verdict]) -> dict[tuple[str, str], tuple[int, float]]:
    """Class (x is 0, y is 1) and acceptance by image and annotator."""
    evidence = gather_evidence(to_table(verdicts))
    table = offered_answers(evidence.answers)
    assert evidence.classes in (("x",), ("x", "y"))
    return {
        (evidence.images[row.row], row.annotator): (row[5], row.accepted)  # column 5: class
        for row in table[["row", "annotator", "round", "arm", "class", "accepted"]].itertuples()
    }


def alone(image: str, second: int, label: str, **changes: object) -> Verdict:
    return verdict(image, second, unit="image", proposal="", outcome="manual", label=label, **changes)


def test_images_of_a_cluster_answered_mixed_stay_in_the_arm_with_their_offer() -> None:
    mixed = [verdict(image, 0, outcome="skipped") for image in "12"]
    assert offers([*mixed, alone("1", 1, "x"), alone("2", 2, "y")]) == {("1", "ann"): (0, 1.0), ("2", "ann"): (1, 0.0)}


def test_an_image_taken_out_of_an_accepted_cluster_was_not_accepted_whatever_is_said_later() -> None:
    rows = [verdict("1", 0), verdict("2", 0), verdict("3", 0, outcome="accepted", label="x")]
    found = offers([*rows, alone("1", 1, "x")])
    assert found["1", "ann"] == (0, 0.0)
    assert found["2", "ann"] == (-1, 0.0), "also while it has no label"
    assert found["3", "ann"] == (0, 1.0)


def test_of_a_cluster_that_got_another_class_the_later_answer_tells() -> None:
    rows = [verdict("1", 0), verdict("2", 0), verdict("3", 0, outcome="changed", label="y"), alone("1", 1, "x")]
    found = offers(rows)
    assert found["1", "ann"] == (0, 1.0)
    assert found["2", "ann"][0] == -1
    assert np.isnan(found["2", "ann"][1])
    assert found["3", "ann"] == (1, 0.0)


def test_of_two_labels_the_first_counts_and_who_never_saw_the_cluster_is_left_out() -> None:
    rows = [verdict("1", 0), verdict("2", 0, outcome="accepted", label="x")]
    ben = verdict("1", 2, annotator="ben", outcome="accepted", label="x")
    found = offers([*rows, ben, alone("1", 3, "y", annotator="ben"), alone("1", 4, "y", annotator="zoe")])
    assert found["1", "ben"] == (0, 1.0)
    assert ("1", "zoe") not in found


def test_while_images_that_were_sent_back_are_not_judged_no_comparison_is_made() -> None:
    dealt = deal(0.0, seed=5)
    verdicts = answer_round(dealt, IGNORES, 2, seed=6)
    again = (verdicts["unit"] == "image") & (verdicts["cluster"] != "") & (verdicts["arm"] == "proposal")
    found = measure(dealt, verdicts[~again])
    for name in ("harm rate", "help rate", "d"):
        assert found[name].is_missing
        assert "sent back" in found[name].note
