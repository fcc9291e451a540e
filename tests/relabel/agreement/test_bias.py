"""The confirmation bias d is found again in answers of known d."""

from math import comb

import numpy as np
import pandas as pd
import pytest

from relabel.agreement.bias import measure_bias, take_terms
from relabel.agreement.bootstrap import Draws
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.report_row import Measure
from tests.relabel.agreement.players import Setting, answer, draw_votes, make_setting


def measure(setting: Setting, verdicts: pd.DataFrame, votes: pd.DataFrame | None, seed: int) -> list[Measure]:
    evidence = gather_evidence(verdicts, votes)
    return list(measure_bias(evidence, Draws(len(setting.shares), 200, seed)))


@pytest.mark.slow
@pytest.mark.parametrize(("n_votes", "method"), [(12, "least squares"), (0, "means of the two arms")])
@pytest.mark.parametrize("d", [0.0, 0.4])
def test_d_lies_in_its_interval(n_votes: int, method: str, d: float) -> None:
    runs, covered, values = 15, 0, []
    for seed in range(runs):
        setting = make_setting(600, 4, seed, control=0.4)
        votes = draw_votes(setting, n_votes, seed) if n_votes else None
        evidence = gather_evidence(answer(setting, d, 2, 1, seed + 100), votes)
        found = next(measure_bias(evidence, Draws(len(setting.shares), 200, seed)))
        assert method in found.note
        covered += found.low <= d <= found.high
        values.append(found.value)
    assert covered >= 12, covered
    assert np.mean(values) == pytest.approx(d, abs=0.03)


def test_who_ignores_proposals_of_clear_images_has_no_bias() -> None:
    # all of 20,000 images: 95 % say what is proposed, with it as without. By the published 0.99 alone d would be 0.19
    drawn = np.random.default_rng(0)
    n = 20_000
    setting = make_setting(n, 2, 0, control=0.5)
    labels = np.where(drawn.random(n) < 0.95, setting.proposed, 1 - setting.proposed)
    outcome = np.where(setting.is_control, "manual", np.where(labels == setting.proposed, "accepted", "changed"))
    table = answer(setting, 0.0, 1, 1, 0).assign(label=[f"class {label}" for label in labels], outcome=outcome)
    found = next(measure_bias(gather_evidence(table), Draws(n, 200, 0)))
    assert found.low < 0 < found.high
    assert found.high - found.low < 0.5


def test_products_of_p_are_estimated_without_bias() -> None:
    # one image, p = 0.3, m = 10 votes: over all x the terms average to (1 - p)^2 and p (1 - p), as no plug-in does
    m, p = 10, 0.3
    weights = [comb(m, x) * p**x * (1 - p) ** (m - x) for x in range(m + 1)]
    found = np.zeros(2)
    for x, weight in enumerate(weights):
        votes = pd.DataFrame({"image": "0.png", "label": ["class 1"] * x + ["class 0"] * (m - x)})
        table = answer(make_setting(1, 2, 0, control=0.0), 0.0, 1, 1, 0).assign(proposal="class 1")
        terms = take_terms(gather_evidence(table, votes))
        assert not isinstance(terms, str)
        # an image on which all agree as proposed is left out: both terms are 0 there
        found += weight * np.array([terms.below.sum(), terms.free.sum()])
    np.testing.assert_allclose(found, [(1 - p) ** 2, p * (1 - p)])


def test_each_annotator_has_a_d_of_their_own() -> None:
    setting = make_setting(600, 4, 3, control=0.3)
    led, firm = (answer(setting, d, 1, 1, seed) for d, seed in ((0.7, 11), (0.0, 12)))
    both = pd.concat([led.assign(annotator="led"), firm.assign(annotator="firm")])
    found = {one.scope: one for one in measure(setting, both, draw_votes(setting, 20, 5), 0)}
    assert found["annotator led"].low > 0.5
    assert found["annotator firm"].high < 0.2
    assert {f"class class {number}" for number in range(4)} <= set(found)


def test_without_votes_and_control_arm_the_reason_is_given() -> None:
    setting = make_setting(100, 3, 0, control=0.0)
    (found,) = measure(setting, answer(setting, 0.2, 2, 1, 0), None, 0)
    assert found.is_missing
    assert "control arm" in found.note
    assert "--votes" in found.note


def test_images_that_all_label_as_proposed_tell_nothing() -> None:
    setting = make_setting(200, 3, 0, right=1.0)
    clear = setting._replace(shares=np.eye(3)[setting.proposed])
    found = measure(clear, answer(clear, 0.5, 2, 1, 0), None, 0)[0]
    assert found.is_missing
    assert "deliberately wrong" in found.note


def test_no_proposal_shown_is_said() -> None:
    setting = make_setting(50, 3, 0, control=1.0)
    terms = take_terms(gather_evidence(answer(setting, 0.2, 1, 1, 0)))
    assert isinstance(terms, str)
    assert "no proposal was shown" in terms
