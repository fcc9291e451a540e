"""A copy of merged votes is known without its record, and votes of before are not taken for one."""

import pandas as pd
import pytest

from data.errors import InputError
from data.proposals import Origin
from data.verdicts import to_table
from relabel.merge import MergeOptions, merge, refuse_strangers
from relabel.merged_already import refuse_known
from tests.relabel.merge.test_merge import verdict

IMAGES = [f"{number}.jpg" for number in range(12)]
BEFORE = pd.DataFrame({"image": IMAGES, "label": ["cat", "dog"] * 6, "annotator": "Ann"})
GIVEN = to_table([verdict(name, "dog", annotator="Ann", seconds=1.25 + place) for place, name in enumerate(IMAGES)])
COPY = merge(BEFORE, GIVEN, IMAGES, Origin("run-1", ("cat", "dog"), 1, 0.1, 0), MergeOptions()).votes


@pytest.mark.parametrize(
    "changed",
    [
        COPY,
        COPY.assign(seconds=COPY["seconds"].round()),
        COPY.drop(columns="seconds"),
        COPY.drop(columns="round"),
        COPY.drop(columns=["seconds", "round"]),
        COPY.assign(annotator="ANN"),
    ],
)
def test_a_copy_is_refused_whatever_a_spreadsheet_made_of_it(changed: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"12 of 12 verdicts stand in the votes already.*of before round 1"):
        refuse_known(changed, GIVEN, 1)


def test_votes_of_before_are_no_copy() -> None:
    assert refuse_known(BEFORE, GIVEN, 1) == ()
    assert refuse_known(BEFORE.assign(label="dog", round=0), GIVEN, 1) == (), "round 0 says they are of before"
    assert refuse_known(BEFORE.assign(label="dog", seconds=30.0), GIVEN, 1) == (), "other times are other answers"
    near = BEFORE.assign(label="dog", seconds=GIVEN["seconds"] + 0.4)
    assert refuse_known(near, GIVEN, 1) == (), "other times, be they near"
    assert refuse_known(COPY, GIVEN.assign(round=2), 2) == (), "the next round"


def test_annotators_who_say_the_same_again_are_told_and_not_refused() -> None:
    (said,) = refuse_known(BEFORE.assign(label="dog"), GIVEN[:4], 1)
    assert "4 of 4 verdicts stand in the votes already" in said
    assert "a column `round` with 0" in said


def test_votes_without_annotators_that_hold_all_verdicts_are_told() -> None:
    (said,) = refuse_known(COPY[["image", "label"]], GIVEN, 1)
    assert "name no annotator and hold each of the 12 verdicts' labels on its image already" in said
    assert refuse_known(BEFORE[["image", "label"]], GIVEN, 1) == ()
    two = pd.concat([GIVEN, GIVEN.assign(annotator="ben")])
    assert refuse_known(COPY[COPY["round"] == 1][["image", "label"]], two, 1) == (), "one vote holds no two"


def test_votes_on_none_of_the_proposed_images_are_told_and_of_almost_the_same_names_refused() -> None:
    assert refuse_strangers(BEFORE, IMAGES[:1], "v.csv") == ()
    (said,) = refuse_strangers(BEFORE, ["new.jpg"], "v.csv")
    assert "none of the 1 proposed images has votes in v.csv so far, which is right where they are new" in said
    assert "it has votes on 0.jpg" in said
    png = BEFORE.assign(image=BEFORE["image"].str.replace("jpg", "png"))
    with pytest.raises(InputError, match=r"none of the 12 proposed images, but on 0\.png, almost 0\.jpg.*12 in all"):
        refuse_strangers(png, IMAGES, "v.csv")
