"""A name that almost fits is taken where one image alone can be meant, and never where two can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.names.matching import Match, describe_unknown, match_names
from data.names.renaming import learn

IMAGES = [f"{number:04d}.jpg" for number in range(12)]
FORMS = {
    "absolute": "/data/lab/images/{}",
    "windows": "C:\\img\\{}",
    "back slash": "images\\{}",
    "dot": "./{}",
    "address": "https://host/x/{}?token=1#part",
    "bucket": "s3://bucket/x/{}",
    "local files": "/data/local-files/?d=images/{}",
    "upload": "/data/upload/1/1a2b3c4d-{}",
    "space": "{} ",
    "no-break space": "\u00a0{}",
}


def matched(given: list[str], images: list[str], all_there: bool = True) -> dict[str, str]:
    match = match_names(given, images, all_there=all_there)
    assert [match.unknown, match.several, match.contested] == [[], {}, {}]
    return match.found


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("all_there", [True, False])
def test_forms_of_other_tools_mean_the_image(form: str, all_there: bool) -> None:
    assert matched([form.format(image) for image in IMAGES], IMAGES, all_there) == {
        form.format(image): image for image in IMAGES
    }


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda name: name[:-4], lambda name: f"{name[:-4]}.png", lambda name: str(int(name[:-4])),
     lambda name: f"{int(name[:-4])}.0", lambda name: f"x/{name.upper()}"],
)  # fmt: skip
def test_case_suffix_and_lost_zeros_are_seen_through(change: object) -> None:
    assert matched([change(image) for image in IMAGES], IMAGES) == {change(image): image for image in IMAGES}


def test_unicode_forms_of_a_name_are_one() -> None:
    assert matched(["Küste_1.jpg"], ["Ku\u0308ste_1.jpg", "x.jpg"]) == {"Küste_1.jpg": "Ku\u0308ste_1.jpg"}
    assert matched(["Ku\u0308ste_1.jpg"], ["Küste_1.jpg"]) == {"Ku\u0308ste_1.jpg": "Küste_1.jpg"}


def test_an_upload_has_underscores_for_spaces() -> None:
    assert matched(["upload/3/0a1b2c3d-my_cat.jpg"], ["my cat.jpg"]) == {"upload/3/0a1b2c3d-my_cat.jpg": "my cat.jpg"}


def test_folders_tell_equal_file_names_apart() -> None:
    images = ["a/1.jpg", "b/1.jpg", "b/2.jpg"]
    assert matched(["/lab/b/1.jpg", "/lab/a/1.jpg"], images) == {"/lab/b/1.jpg": "b/1.jpg", "/lab/a/1.jpg": "a/1.jpg"}
    assert match_names(["1.jpg"], images).several == {"1.jpg": ["a/1.jpg", "b/1.jpg"]}


def test_two_names_for_one_image_are_contested_unless_one_is_the_end_of_the_other() -> None:
    assert match_names(["a/1.jpg", "b/1.jpg"], ["1.jpg"]).contested == {"1.jpg": ["a/1.jpg", "b/1.jpg"]}
    assert matched(["x/a/1.jpg", "a/1.jpg"], ["1.jpg"]) == {"x/a/1.jpg": "1.jpg", "a/1.jpg": "1.jpg"}
    assert matched(["1.jpg", "1.jpg "], ["1.jpg"]) == {"1.jpg ": "1.jpg"}


def test_a_slip_beside_the_right_name_is_named_and_not_taken() -> None:
    match = match_names(["site1/i1.jpg", "stie1/i1.jpg"], ["site1/i1.jpg", "site2/i2.jpg"])
    assert (match.found, match.unknown, match.contested) == ({}, ["stie1/i1.jpg"], {})


def test_names_of_other_images_are_left_alone_where_the_table_may_have_such() -> None:
    def left(given: list[str], images: list[str]) -> Match:
        match = match_names(given, images, all_there=False)
        assert not match.found
        return match

    assert left(["1.jpg", "other/2.jpg"], ["1.jpg", "2.jpg"]).unknown == ["other/2.jpg"]  # others fit to the letter
    assert left(["2.jpg", "other/1.jpg"], ["2.jpg", "1.jpg"]).unknown == ["other/1.jpg"]
    assert left(["a/1.jpg"], ["b/1.jpg"]).unknown == ["a/1.jpg"]
    assert left(["1.png"], ["1.jpg"]).unknown == ["1.png"]
    assert left(["c/1.jpg"], ["a/1.jpg", "b/1.jpg"]).unknown == ["c/1.jpg"]


def test_an_absolute_path_is_no_other_image_beside_names_that_fit() -> None:
    """A table of which half the images are named otherwise does not count them twice."""
    given = ["1.jpg", "C:\\img\\2.jpg", "/lab/3.jpg", "/lab/1.jpg"]
    assert matched(given, ["1.jpg", "2.jpg", "3.jpg"], all_there=False) == {
        "C:\\img\\2.jpg": "2.jpg", "/lab/3.jpg": "3.jpg", "/lab/1.jpg": "1.jpg"
    }  # fmt: skip
    assert matched(["/lab/1.jpg", "2.jpg"], ["/lab/1.jpg", "/lab/2.jpg"], all_there=False) == {"2.jpg": "/lab/2.jpg"}


@settings(max_examples=60)
@given(
    st.lists(st.from_regex(r"\A([ab]/)?[01]{1,2}\.(jpg|JPG)\Z"), unique=True, max_size=6),
    st.lists(st.from_regex(r"\A([ab]/)?[01]{1,2}\.(jpg|png)\Z"), unique=True, max_size=6),
    st.booleans(),
)
def test_every_name_has_one_fate_and_exact_ones_are_kept(given_: list[str], images: list[str], all_there: bool) -> None:
    match = match_names(given_, images, all_there=all_there)
    contested = [name for names in match.contested.values() for name in names]
    fates = [*match.found, *match.unknown, *match.several, *contested]
    exact = [name for name in given_ if name in images]
    assert sorted({*fates, *exact}) == sorted(given_)
    assert len(set(fates)) == len(fates)
    assert not set(match.unknown) & set(images)
    assert set(match.found.values()) <= set(images)


def test_what_is_unknown_is_shown_with_the_nearest_and_with_what_cannot_be_seen() -> None:
    text = describe_unknown(["stie1/i1.jpg", "x\u00a0y", "q"], ["site1/i1.jpg", "other.jpg"])
    assert text == r"stie1/i1.jpg (the nearest is site1/i1.jpg), 'x\xa0y', q"
    assert describe_unknown(["000O.jpg"], [f"{n:04d}.jpg" for n in range(45)]) == "000O.jpg (the nearest is 0000.jpg)"
    for name, near in (("0003.jpg.png", "0003.jpg"), ("0003.jpg_old", "0003.jpg"), ("0000.jpg.", "0000.jpg")):
        found = describe_unknown([name], [f"{n:04d}.jpg" for n in range(45)])
        assert found == f"{name} (the nearest is {near})"
    assert describe_unknown([f"q{n}" for n in range(30)], ["a"]).endswith("q19 and 10 more")


@pytest.mark.parametrize(
    "form",
    [*FORMS.values(), "{0[0]}{0[1]}{0[2]}{0[3]}"],
    ids=[*FORMS, "no suffix"],
)
def test_images_that_are_not_at_hand_are_renamed_as_those_that_are(form: str) -> None:
    """Else a merged table names half of its images in another way, and the next round finds them twice."""
    given = [form.format(image) for image in IMAGES]
    rule = learn(match_names(given, IMAGES[:5], all_there=False).found)
    assert rule is not None
    assert [rule.apply(name) for name in given] == IMAGES


def test_lost_zeros_come_back_and_no_rule_is_made_up() -> None:
    rule = learn({"0": "0000.jpg", "11": "0011.jpg"})
    assert rule is not None
    assert rule.apply("7") == "0007.jpg"
    assert learn({"x/0000.jpg": "0000.jpg", "y/0001.jpg": "0001.jpg"}) is None
    assert learn({"IMG.JPG": "img.jpg"}) is None
