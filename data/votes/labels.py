"""One class, one spelling: labels that differ only in case, spaces or Unicode form are one class, and this is said."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from data.errors import name_some
from data.names.spelling import clean, show

RESERVED = "mixed"
"""What relabelling calls a cluster without a class: no class can have that name."""
MISSING = frozenset({"na", "n/a", "#n/a", "n.a.", "<na>", "nan", "null", "none", "-", "?"})
"""Labels that a program may have written for 'no answer', lower case."""
_IS_WHOLE = re.compile(r"\d+\.0")


class United(NamedTuple):
    """Labels, or annotators' names, each in one spelling."""

    labels: pd.Series
    notices: tuple[str, ...]


def unite_labels(labels: pd.Series, source: str, classes: Sequence[str] = ()) -> United:
    """Gives all labels of a class one spelling: that of `classes`, else the commonest (at a tie the first by code).

    Two names that stand in `classes` stay two, be they `a` and `A`.

    Args:
        source: the table's name, for the notices.
        classes: known names, where there are any; a label that fits none, or two of them, is cleaned of spaces alone.
    """
    counts = labels.value_counts()
    spellings = [str(label) for label in counts.index]
    known = _known_forms(classes)
    groups: dict[str, list[str]] = {}
    for label in spellings:
        groups.setdefault(label_key(label), []).append(label)
    names: dict[str, str] = {}
    for members in groups.values():
        commonest = _commonest(members, counts)
        for label in members:
            form = known.get(clean(label)) or known.get(label_key(label))
            names[label] = label if label in classes else form or commonest
    changed = [label for label in spellings if names[label] != label]
    notices = []
    if changed:
        labels = labels.map(names)
        notices.append(
            f"{source}: labels that differ only in case, spaces or Unicode form are one class:"
            f" {_describe(changed, names, counts)}; --classes keeps apart what it names"
        )
    missing = [name for name in set(names.values()) if name.casefold() in MISSING and name not in classes]
    if missing:
        n = int(labels.isin(missing).sum())
        notices.append(
            f"{source}: {n} row(s) have the label {name_some(sorted(missing))}, which counts as a class; where a"
            " program wrote it for 'no answer', remove these rows or name it by --ignore-labels"
        )
    return United(labels, tuple(notices))


def name_numbers(labels: pd.Series, classes: Sequence[str]) -> United:
    """Labels 0, 1, ... as the classes in their order, where all are such numbers and no class is called so."""
    keys = {label: label_key(label) for label in labels.unique()}
    known = {label_key(name) for name in classes}
    numbers = [key for key in keys.values() if key.isdecimal() and int(key) < len(classes) and key not in known]
    if not classes or len(numbers) < len(keys):
        return United(labels, ())
    names = {label: classes[int(key)] for label, key in keys.items()}
    first = next(iter(names))
    text = f"labels are numbers and mean the classes in the order given, from 0: {first} is {names[first]}"
    return United(labels.map(names), (text,))


def clean_annotators(annotators: pd.Series, source: str) -> United:
    """Each annotator's name in one spelling, as labels are; what a program writes for 'unknown' names nobody."""
    counts = annotators.value_counts()
    groups: dict[str, list[str]] = {}
    for name in counts.index:
        groups.setdefault(label_key(name), []).append(name)
    names = {
        name: "" if key in MISSING else _commonest(members, counts)
        for key, members in groups.items()
        for name in members
    }
    notices = []
    # spaces around a name are no news
    changed = [name for name, one in names.items() if one and clean(name) != one]
    if changed:
        notices.append(
            f"{source}: annotators whose names differ only in case or in .0 are one:"
            f" {_describe(changed, names, counts)}; give two people two names"
        )
    unknown = [name for name, one in names.items() if name and not one]
    if unknown:
        n = int(annotators.isin(unknown).sum())
        notices.append(f"{source}: {n} row(s) name {name_some(unknown)} as annotator, taken as nobody known")
    return United(annotators.map(names), tuple(notices))


def label_key(label: str) -> str:
    """What all spellings of a class share: `Cat ` and `cat`, 7.0 and 7."""
    folded = clean(label).casefold()
    # a column with gaps turns 7 into 7.0
    return folded.removesuffix(".0") if _IS_WHOLE.fullmatch(folded) else folded


def _known_forms(classes: Sequence[str]) -> dict[str, str]:
    """Cleaned name and key -> class, where only one class has it."""
    forms: dict[str, set[str]] = {}
    for name in classes:
        for form in {clean(name), label_key(name)}:
            forms.setdefault(form, set()).add(name)
    return {form: min(names) for form, names in forms.items() if len(names) == 1}


def _commonest(members: list[str], counts: pd.Series) -> str:
    totals: dict[str, int] = {}
    for label in members:
        totals[clean(label)] = totals.get(clean(label), 0) + int(counts[label])
    # the number as people write it, however often a column with gaps has made 7.0 of it
    whole = {name: n for name, n in totals.items() if not _IS_WHOLE.fullmatch(name)}
    totals = whole or totals
    return min(totals, key=lambda name: (-totals[name], name))


def _describe(changed: list[str], names: dict[str, str], counts: pd.Series) -> str:
    variants: dict[str, list[str]] = {}
    for label in changed:
        variants.setdefault(names[label], []).append(f"{show(label)} ({counts[label]})")
    shown = [f"{name} ({counts.get(name, 0)} rows) takes in {name_some(found, 5)}" for name, found in variants.items()]
    return name_some(shown)
