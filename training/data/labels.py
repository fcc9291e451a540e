"""One class, one spelling: labels that differ only in case, spaces or Unicode form are one class, and this is said."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from training.data.spelling import clean, show
from training.errors import name_some

RESERVED = "mixed"
"""What relabelling calls a cluster without a class: no class can have that name."""
MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "none"})
"""Labels that a program may have written for 'no answer', lower case."""


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
        groups.setdefault(_key(label), []).append(label)
    names: dict[str, str] = {}
    for members in groups.values():
        commonest = _commonest(members, counts)
        for label in members:
            names[label] = label if label in classes else known.get(clean(label)) or known.get(_key(label)) or commonest
    changed = [label for label in spellings if names[label] != label]
    notices = []
    if changed:
        labels = labels.map(names)
        notices.append(f"{source}: {_describe(changed, names, counts)}")
    missing = [name for name in set(names.values()) if name.casefold() in MISSING and name not in classes]
    if missing:
        n = int(labels.isin(missing).sum())
        notices.append(
            f"{source}: {n} row(s) have the label {name_some(sorted(missing))}, which counts as a class; where a"
            " program wrote it for 'no answer', remove these rows"
        )
    return United(labels, tuple(notices))


def clean_annotators(annotators: pd.Series, source: str) -> United:
    """Names without stray spaces and in one Unicode form; what a program writes for 'unknown' names nobody."""
    names = {name: "" if clean(name).casefold() in MISSING else clean(name) for name in annotators.unique()}
    unknown = [name for name, cleaned in names.items() if name and not cleaned]
    n = int(annotators.isin(unknown).sum())
    notice = f"{source}: {n} row(s) name {name_some(unknown)} as annotator, taken as nobody known"
    return United(annotators.map(names), (notice,) if n else ())


def _key(label: str) -> str:
    folded = clean(label).casefold()
    # a column with gaps turns 7 into 7.0
    return folded.removesuffix(".0") if re.fullmatch(r"\d+\.0", folded) else folded


def _known_forms(classes: Sequence[str]) -> dict[str, str]:
    """Cleaned name and key -> class, where only one class has it."""
    forms: dict[str, set[str]] = {}
    for name in classes:
        for form in {clean(name), _key(name)}:
            forms.setdefault(form, set()).add(name)
    return {form: min(names) for form, names in forms.items() if len(names) == 1}


def _commonest(members: list[str], counts: pd.Series) -> str:
    totals: dict[str, int] = {}
    for label in members:
        totals[clean(label)] = totals.get(clean(label), 0) + int(counts[label])
    return min(totals, key=lambda name: (-totals[name], name))


def _describe(changed: list[str], names: dict[str, str], counts: pd.Series) -> str:
    variants: dict[str, list[str]] = {}
    for label in changed:
        variants.setdefault(names[label], []).append(f"{show(label)} ({counts[label]})")
    shown = [f"{name} ({counts.get(name, 0)} rows) takes in {name_some(found, 5)}" for name, found in variants.items()]
    return (
        "labels that differ only in case, spaces or Unicode form are one class: "
        + name_some(shown)
        + "; --classes keeps apart what it names"
    )
