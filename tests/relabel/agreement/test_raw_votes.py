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


def test_answers_again_measure_the_same_person_and_are_nobody_else_s_votes() -> None:
    """In round 1 anna repeats herself but for each fourth image, and ben answers as before."""
    first = lab()[lambda rows: rows["annotator"] != "carl"].assign(round=0)
    again = first.assign(round=1)
    changed = (again["annotator"] == "anna") & (again["image"].str.removesuffix(".png").astype(int) % 4 == 0)
    again.loc[changed, "label"] = again.loc[changed, "label"].map({"cat": "dog", "dog": "cat"})
    raw = gather_raw(pd.concat([first, again], ignore_index=True))
    assert (raw.counts.sum(1) == 2).all(), "each person once"
    found = by_name(list(measure_raw(raw, OPTIONS)))
    within = found["Within annotators", "Cohen's kappa", "all"]
    between = found["Between annotators", "Cohen's kappa", "all"]
    # of 60 images anna keeps 45 answers and ben all; 48 answers are the same between them in the first round
    assert within.value == pytest.approx((0.5 + 1) / 2, abs=0.02)
    assert within.value > between.value + 0.1
    same = 100 * (first.pivot(index="image", columns="annotator", values="label").nunique(axis=1) == 1).mean()
    assert found[ANNOTATORS, "raw agreement", "anna"].value == pytest.approx(same), "by the first answers alone"


@pytest.mark.parametrize("change", [{"votes": 2}, {"annotator": ""}])
def test_one_row_of_several_people_and_all_count_but_nobody_is_measured(change: dict[str, object]) -> None:
    rows = lab().assign(votes=1)
    rows.loc[0, list(change)] = list(change.values())
    raw = gather_raw(rows)
    assert raw.counts.sum() == pd.to_numeric(rows["votes"]).sum()
    assert not len(raw.answers)
    assert by_name(list(measure_raw(raw, OPTIONS)))[ANNOTATORS, "raw agreement", "all"].is_missing


def test_disputed_and_tied_are_two_things_and_a_class_counts_where_two_judged() -> None:
    rows = [("a", "cat", 3), ("a", "dog", 1), ("b", "cat", 1), ("b", "dog", 1), ("c", "cat", 1), ("d", "dog", 2)]
    found = by_name(list(measure_raw(gather_raw(pd.DataFrame(rows, columns=["image", "label", "votes"])), OPTIONS)))
    assert found[IMAGES, "disputed", "all"].value == 50
    assert found[IMAGES, "tied", "all"].value == 25
    assert found[CLASSES, "Krippendorff's alpha", "cat"].images == 2, "a and b: nobody else judged c"


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


def test_raw_votes_are_read_as_the_options_say_and_notices_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.concat([lab(), lab().assign(annotator="dora", label="unknown")])
    rows.to_csv(tmp_path / "votes.csv", index=False)
    given = [str(tmp_path / "votes.csv"), "--output", str(tmp_path / "out"), "--resamples", "200"]
    assert main([*given, "--ignore-labels", "unknown"]) == 0
    printed = capsys.readouterr().out
    assert "180 vote(s) unknown count as 'cannot tell'" in printed
    assert "dora" not in printed


def test_nothing_or_too_much_is_refused(tmp_path: Path) -> None:
    lab().to_csv(tmp_path / "votes.csv", index=False)
    twice = [str(tmp_path / "votes.csv")] * 2
    for given in ([], twice, [twice[0], "--votes", twice[0]]):
        with pytest.raises(InputError, match="or one table of raw votes alone"):
            main([*given, "--output", str(tmp_path / "out")])
    with pytest.raises(InputError, match="--truth is for verdicts"):
        main([twice[0], "--truth", twice[0], "--output", str(tmp_path / "out")])
    with pytest.raises(InputError, match="No vote table at"):
        main([str(tmp_path / "none.csv"), "--output", str(tmp_path / "out")])
