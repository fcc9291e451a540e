"""Labels that a person reads as one are one class, and what was united is said."""

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.names.spelling import clean
from data.votes.labels import clean_annotators, name_numbers, unite_labels

SPELLINGS = st.sampled_from(["copepod", "Copepod", "COPEPOD ", "copepod\u00a0", "\u200bcopepod", "  copepod"])


def unite(*labels: str, classes: tuple[str, ...] = ()) -> tuple[list[str], tuple[str, ...]]:
    found = unite_labels(pd.Series(list(labels), dtype=object), "v.csv", classes)
    return found.labels.tolist(), found.notices


@given(st.lists(SPELLINGS, min_size=1))
def test_case_spaces_and_invisible_letters_make_no_class(labels: list[str]) -> None:
    found, notices = unite(*labels, "diatom")
    assert len(set(found)) == 2
    assert found[0] == clean(found[0])
    assert bool(notices) == (len(set(labels)) > 1 or found[0] != labels[0])


@given(st.text(min_size=1).filter(lambda text: clean(text) != ""))
def test_unicode_forms_are_one_class(label: str) -> None:
    forms = [unicodedata.normalize(form, label) for form in ("NFC", "NFD")]
    assert len(set(unite(*forms)[0])) == 1


@given(st.lists(st.sampled_from(["a", "b", "A", "b ", "ä", "c"])))
def test_uniting_twice_changes_nothing(labels: list[str]) -> None:
    once, _ = unite(*labels)
    again, notices = unite(*once)
    assert again == once
    assert not notices


def test_the_commonest_spelling_names_the_class_and_the_others_are_counted() -> None:
    found, notices = unite("Copepod", "copepod", "copepod ", "copepod", "diatom")
    assert found == ["copepod"] * 4 + ["diatom"]
    assert notices == (
        "v.csv: labels that differ only in case, spaces or Unicode form are one class: copepod (2 rows) takes in"
        " 'Copepod' (1), 'copepod ' (1); --classes keeps apart what it names",
    )


def test_a_decomposed_spelling_is_shown_as_what_it_is() -> None:
    assert r"K\xfcste" not in unite("Küste", "Küste", "Ku\u0308ste")[1][0]
    assert r"'Ku\u0308ste' (1)" in unite("Küste", "Küste", "Ku\u0308ste")[1][0]


def test_known_classes_keep_their_spelling_and_stay_apart() -> None:
    assert unite("copepod", "copepod", "COPEPOD", classes=("Copepod",))[0] == ["Copepod"] * 3
    assert unite("a", "A", "a ", "x", classes=("a", "A"))[0] == ["a", "A", "a", "x"]
    assert unite("a", "a ", "a ", classes=("a", "a "))[0] == ["a", "a ", "a "]


def test_numbers_of_a_column_with_gaps_are_the_same_numbers() -> None:
    assert unite("7", "7.0", "7.0", "8.0", "1.50")[0] == ["7", "7", "7", "8.0", "1.50"]


def test_numbers_name_the_classes_in_order_where_none_is_called_so_and_there_are_enough() -> None:
    numbers = pd.Series(["0", "1.0", "0"])
    assert name_numbers(numbers, ("cat", "dog")).labels.tolist() == ["cat", "dog", "cat"]
    for labels, classes in ((["0", "2"], ("cat", "dog")), (["0", "1"], ("1", "dog")), (["0", "dog"], ("cat", "dog"))):
        named = name_numbers(pd.Series(labels), classes)
        assert named.labels.tolist() == labels
        assert named.notices == ()


def test_na_is_a_class_but_not_without_a_word() -> None:
    labels, notices = unite("NA", "cat", "NA", "nasal")
    assert labels == ["NA", "cat", "NA", "nasal"]
    assert notices == (
        "v.csv: 2 row(s) have the label NA, which counts as a class; where a program wrote it for 'no answer', remove"
        " these rows or name it by --ignore-labels",
    )
    assert unite("NA", "cat", classes=("NA", "cat"))[1] == ()


@pytest.mark.parametrize("unknown", ["NA", "nan", "None", "NULL"])
def test_unknown_annotators_are_no_person(unknown: str) -> None:
    found = clean_annotators(pd.Series(["anna ", unknown, ""]), "v.csv")
    assert found.labels.tolist() == ["anna", "", ""]
    assert found.notices == (f"v.csv: 1 row(s) name {unknown} as annotator, taken as nobody known",)


@pytest.mark.parametrize("letter", "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff")
def test_letters_that_nobody_sees_make_no_class(letter: str) -> None:
    labels, notices = unite("cat", f"c{letter}at", "dog")
    assert labels == ["cat", "cat", "dog"]
    assert ascii(letter)[1:-1] in notices[0], "shown as what it is"


@pytest.mark.parametrize("label", ["<NA>", "n.a.", "-", "?", "nan", "null", "none"])
def test_what_may_be_no_answer_is_a_class_with_a_word(label: str) -> None:
    labels, notices = unite(label, "cat")
    assert labels == [label, "cat"]
    assert f"1 row(s) have the label {label}, which counts as a class" in notices[0]


def test_an_annotator_in_two_spellings_is_one_and_this_is_said() -> None:
    found = clean_annotators(pd.Series(["Anna", "anna", "Anna ", "0", "0.0", "0.0", "ben"]), "v.csv")
    assert found.labels.tolist() == ["Anna", "Anna", "Anna", "0", "0", "0", "ben"]
    (notice,) = found.notices
    assert notice.startswith("v.csv: annotators whose names differ only in case or in .0 are one: ")
    assert "Anna (1 rows) takes in 'anna' (1)" in notice
    assert "0 (1 rows) takes in '0.0' (2)" in notice
