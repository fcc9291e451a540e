"""Which question comes next for whom."""

import random
from datetime import datetime, timedelta

from data.proposals import Proposal
from relabel.review.progress import Person, Progress
from relabel.review.units import Unit, single_unit

BANDS = 10
"""Questions are asked in so many steps of falling gain per minute, in an order of the annotator's own within a step."""
PAUSE = 10
"""Answers between an image's exclusion from a grid and its single question, so that the proposal is not in mind."""
HELD = timedelta(minutes=30)
"""For so long a question that one annotator has on the screen is not given to others in his place."""


def order_units(units: list[Unit], seed: int, annotator: str) -> list[Unit]:
    """An annotator's order: by gain per minute, most first, shuffled within each tenth by seed and name."""
    ranked = sorted(units, key=lambda unit: (-unit.gain_per_minute, unit.id))
    generator = random.Random(f"{seed} {annotator}")
    ordered: list[Unit] = []
    for band in range(BANDS):
        part = ranked[len(ranked) * band // BANDS : len(ranked) * (band + 1) // BANDS]
        generator.shuffle(part)
        ordered += part
    return ordered


def trim_unit(unit: Unit, person: Person) -> Unit:
    """The unit without the images that the annotator has judged by other ways."""
    if person.judged.isdisjoint(unit.images):
        return unit
    return unit._replace(images=tuple(image for image in unit.images if image not in person.judged))


def open_units(
    order: list[Unit], proposals: dict[str, Proposal], progress: Progress, annotator: str, overlap: int, now: datetime
) -> list[Unit]:
    """The questions that are left for an annotator, next first.

    A question is open to him until `overlap` others have answered it or have it on the screen. Images that he excluded
    from a grid come back to himself alone, singly and without a proposal, some answers later.
    """
    person = progress.person(annotator)
    busy = count_held(progress, annotator, now)
    fresh = [
        unit
        for unit in order
        if unit.id not in person.answered and progress.counts.get(unit.id, 0) + busy.get(unit.id, 0) < overlap
    ]
    fresh = [unit for unit in (trim_unit(unit, person) for unit in fresh) if unit.images]
    due: list[Unit] = []
    later: list[Unit] = []
    for image in person.waiting():
        again = single_unit(proposals[image], "", "again")
        (due if len(person.answers) >= person.returned[image] + PAUSE else later).append(again)
    return due + fresh + later


def count_held(progress: Progress, annotator: str, now: datetime) -> dict[str, int]:
    """How many others have each question on their screens."""
    held: dict[str, int] = {}
    for name, other in progress.people.items():
        shown = other.shown
        if name == annotator or shown is None or shown.unit in other.answered:
            continue
        if now - datetime.fromisoformat(shown.at) < HELD:
            held[shown.unit] = held.get(shown.unit, 0) + 1
    return held
