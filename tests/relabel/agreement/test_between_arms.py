"""Agreement of the arms: which way the difference goes, and whose answers are in it."""

import numpy as np
import pandas as pd
import pytest

from data.verdicts import Verdict, to_table
from relabel.agreement.between_arms import ALPHA, CONTROL, DIFFERENCE, PERCENT, PROPOSAL, measure_agreement
from relabel.agreement.evidence import gather_evidence
from relabel.agreement.report_row import Measure, MeasureOptions
from tests.relabel.agreement.players import answer, make_setting


def measure(verdicts: pd.DataFrame) -> dict[tuple[str, str], Measure]:
    options = MeasureOptions(resamples=200)
    return {(one.name, one.scope): one for one in measure_agreement(gather_evidence(verdicts), options)}


@pytest.mark.parametrize("name", [ALPHA, PERCENT])
def test_the_difference_of_the_arms_is_proposal_less_control(name: str) -> None:
    # right proposals that all follow: they agree better with one
    found = measure(answer(make_setting(400, 4, 0, right=1.0, control=0.4), 0.9, 2, 1, 0))
    difference = found[name, DIFFERENCE]
    assert difference.value == pytest.approx(found[name, PROPOSAL].value - found[name, CONTROL].value)
    assert 0 < difference.low < difference.value < difference.high


def test_who_was_asked_only_because_others_disagreed_is_left_out() -> None:
    at = "2026-01-05T09:00:00+00:00"
    row = Verdict("", "", "", 1.0, at, 1, "label-studio", "cluster", "7", "proposal", "x", "run", "accepted", "x")
    images = [str(number) for number in range(20)]
    together = [row._replace(image=image, annotator=name, label="x") for image in images[1:] for name in ("ann", "ben")]
    out = [
        row._replace(image="0", annotator="ann", outcome="excluded"),
        row._replace(image="0", annotator="ben", label="x"),
        row._replace(image="0", annotator="ann", label="y", unit="image", proposal="", outcome="manual"),
    ]
    extra = row._replace(image="0", annotator="zoe", label="z", unit="image", proposal="", outcome="manual")
    others = row._replace(unit="image", cluster="", arm="control", outcome="manual", image="c")
    control = [others._replace(annotator=name, label=label) for name, label in (("ann", "x"), ("ben", "y"))]
    with_extra, without = (measure(to_table([*together, *out, *more, *control])) for more in ([extra], []))
    assert with_extra[PERCENT, PROPOSAL].value == pytest.approx(without[PERCENT, PROPOSAL].value)
    assert with_extra[PERCENT, PROPOSAL].value == pytest.approx(100 * np.mean([0] + [1] * 19))
