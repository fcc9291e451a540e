"""A lab's own agreement, from its votes alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from dc3.agree import CSV, PAGE, TEXT, main
from relabel.agreement.coefficients import agreement_of_counts
from relabel.agreement.raw_votes import ANNOTATORS, CLASSES, IMAGES, MEANINGS, gather_raw, measure_raw
from relabel.agreement.report_row import Measure, MeasureOptions

OPTIONS = MeasureOptions(resamples=200)


def lab(n: int = 60) -> pd.DataFrame:
    """Anna and ben agree on all but each fifth image; carl answers at random."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(n):
        label = "cat" if number % 2 else "dog"
        other = "dog" if label == "cat" else "cat"
        rows += [(f"{number}.png", "anna", label), (f"{number}.png", "ben", label if number % 5 else other)]
        rows.append((f"{number}.png", "carl", str(random.choice(["cat", "dog"]))))
    return pd.DataFrame(rows, columns=["image", "annotator", "label"])


def by_name(measures: list[Measure]) -> dict[tuple[str, str, str], Measure]:
    return {(one.section, one.name, one.scope): one for one in measures}


def test_figures_are_those_of_the_counts_with_intervals() -> None:
    votes = lab()
    found = by_name(list(measure_raw(gather_raw(votes), OPTIONS)))
    counts = pd.crosstab(votes["image"], votes["label"]).to_numpy()
    expected = agreement_of_counts(counts)
    for name, value in (("Krippendorff's alpha", expected.alpha), ("Fleiss' kappa", expected.fleiss)):
        one = found["Between annotators", name, "all"]
        assert one.value == pytest.approx(float(value[0]))
        assert one.low < one.value < one.high
    assert found["Between annotators", "raw agreement", "all"].value == pytest.approx(float(expected.percent[0]))
    disputed = found[IMAGES, "disputed", "all"]
    assert disputed.value == pytest.approx(100 * ((counts > 0).sum(1) > 1).mean())
    assert found[IMAGES, "tied", "all"].value == 0


def test_annotators_are_told_apart_and_classes_have_their_own_alpha() -> None:
    votes = lab()
    found = by_name(list(measure_raw(gather_raw(votes), OPTIONS)))
    wide = votes.pivot(index="image", columns="annotator", values="label")
    with_ben, with_carl = ((wide["anna"] == wide[name]).mean() for name in ("ben", "carl"))
    anna = found[ANNOTATORS, "raw agreement", "anna"]
    assert anna.value == pytest.approx(100 * (with_ben + with_carl) / 2)
    assert anna.value > found[ANNOTATORS, "raw agreement", "carl"].value + 5
    assert (anna.images, anna.pairs) == (60, 120)
    alpha = found["Between annotators", "Krippendorff's alpha", "all"].value
    assert found[CLASSES, "Krippendorff's alpha", "cat"].value == pytest.approx(alpha), "of two classes both are it"


def test_a_class_that_people_cannot_tell_has_the_low_alpha() -> None:
    rows = [(f"{n}.png", "owl", 4) for n in range(30)]
    rows += [(f"{n}.png", name, 2) for n in range(30, 60) for name in ("cat", "dog")]
    found = by_name(list(measure_raw(gather_raw(pd.DataFrame(rows, columns=["image", "label", "votes"])), OPTIONS)))
    owl, cat = (found[CLASSES, "Krippendorff's alpha", name].value for name in ("owl", "cat"))
    assert owl == pytest.approx(1)
    assert cat < 0.3
    assert "names no annotators" in found[ANNOTATORS, "raw agreement", "all"].note


@pytest.mark.parametrize("named", [True, False])
def test_the_command_takes_raw_votes(named: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.csv"
    lab().to_csv(path, index=False)
    given = [str(path)] if named else ["--votes", str(path)]
    assert main([*given, "--output", str(tmp_path / "out"), "--resamples", "200"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith((tmp_path / "out" / TEXT).read_text().rstrip())
    table = pd.read_csv(tmp_path / "out" / CSV)
    assert set(table["section"]) == set(MEANINGS)
    assert "annotator" in printed
    assert "Agreement of the votes" in (tmp_path / "out" / PAGE).read_text("utf-8")


def test_nothing_or_too_much_is_refused(tmp_path: Path) -> None:
    lab().to_csv(tmp_path / "votes.csv", index=False)
    twice = [str(tmp_path / "votes.csv")] * 2
    for given in ([], twice, [twice[0], "--votes", twice[0]]):
        with pytest.raises(InputError, match="or one table of raw votes alone"):
            main([*given, "--output", str(tmp_path / "out")])
    with pytest.raises(InputError, match="No vote table at"):
        main([str(tmp_path / "none.csv"), "--output", str(tmp_path / "out")])
