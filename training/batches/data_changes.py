"""What has changed between the data of a run, as its record says, and the data at hand."""

import numpy as np

from data.errors import name_some
from data.ingest import Dataset
from training.batches.data_record import DataRecord

SHOWN = 5
"""Images that are named of each kind of change."""


def find_changes(record: DataRecord, dataset: Dataset) -> list[str]:
    """One line for each kind of change; none where the run would train on the same images, classes and votes.

    Who voted, and when, is no part of it: the training counts votes.
    """
    changes = _compare_images(record, dataset)
    if record.classes:
        renamed = _find_renamed(record, dataset)
        changes += _compare_classes(record, dataset, renamed)
        changes += _compare_votes(record, dataset, renamed)
    if not changes and not (record.digests and record.classes) and record.fingerprint != dataset.fingerprint:
        changes.append(
            f"the fingerprint is {dataset.fingerprint}, not {record.fingerprint}: images or votes are others;"
            " which, the record of a run of an older version does not tell"
        )
    return changes


def _compare_images(record: DataRecord, dataset: Dataset) -> list[str]:
    before, now = set(record.names), set(dataset.names)
    changes = [
        f"{len(names)} image(s) {what}: {name_some(sorted(names), SHOWN)}"
        for what, names in (("gone", before - now), ("added", now - before))
        if names
    ]
    if record.digests and dataset.digests:
        found = dict(zip(dataset.names, dataset.digests, strict=True))
        other = [
            name for name, digest in zip(record.names, record.digests, strict=True) if found.get(name, digest) != digest
        ]
        if other:
            changes.append(f"{len(other)} image(s) with other content: {name_some(other, SHOWN)}")
    return changes


def _find_renamed(record: DataRecord, dataset: Dataset) -> dict[str, str]:
    """New name of each class that is gone while another one has just its votes."""
    rows = _pair_rows(record, dataset)
    gone = [name for name in record.classes if name not in dataset.classes]
    added = [name for name in dataset.classes if name not in record.classes]
    renamed: dict[str, str] = {}
    for old in gone:
        votes = record.counts[rows[:, 0], record.classes.index(old)]
        for new in added:
            same = np.array_equal(votes, dataset.counts[rows[:, 1], dataset.classes.index(new)])
            if votes.any() and same and new not in renamed.values():
                renamed[old] = new
                break
    return renamed


def _compare_classes(record: DataRecord, dataset: Dataset, renamed: dict[str, str]) -> list[str]:
    changes = [f"class {old} is now called {new} (with the same votes)" for old, new in renamed.items()]
    gone = [name for name in record.classes if name not in dataset.classes and name not in renamed]
    added = [name for name in dataset.classes if name not in record.classes and name not in renamed.values()]
    return changes + [
        f"class(es) {what}: {name_some(names)}" for what, names in (("gone", gone), ("added", added)) if names
    ]


def _compare_votes(record: DataRecord, dataset: Dataset, renamed: dict[str, str]) -> list[str]:
    rows = _pair_rows(record, dataset)
    names = tuple(renamed.get(name, name) for name in record.classes)
    every = tuple(dict.fromkeys(names + dataset.classes))
    before, now = (
        _spread_columns(counts, classes, every)
        for counts, classes in ((record.counts[rows[:, 0]], names), (dataset.counts[rows[:, 1]], dataset.classes))
    )
    changed = np.flatnonzero((before != now).any(1))
    if not len(changed):
        return []
    shown = [
        f"{record.names[rows[row, 0]]} ({_list_votes(before[row], every)} -> {_list_votes(now[row], every)})"
        for row in changed[:SHOWN]
    ]
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return [f"other votes on {len(changed)} image(s): {', '.join(shown)}{more}"]


def _pair_rows(record: DataRecord, dataset: Dataset) -> np.ndarray:
    """(M, 2) row in the record and row at hand of the images in both."""
    places = {name: place for place, name in enumerate(dataset.names)}
    pairs = [(row, places[name]) for row, name in enumerate(record.names) if name in places]
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _spread_columns(counts: np.ndarray, classes: tuple[str, ...], every: tuple[str, ...]) -> np.ndarray:
    """(N, len(every)) the votes under their classes, zeros elsewhere."""
    wide = np.zeros((len(counts), len(every)), counts.dtype)
    wide[:, [every.index(name) for name in classes]] = counts
    return wide


def _list_votes(votes: np.ndarray, classes: tuple[str, ...]) -> str:
    return " ".join(f"{classes[place]} {votes[place]}" for place in np.flatnonzero(votes)) or "none"
