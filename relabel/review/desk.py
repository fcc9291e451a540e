"""One round of review: hands out questions, takes answers, and has each in the journal before it says so."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from data.proposals import Proposal, ProposalFolder, read_proposal_folder, refuse_class_mixed
from data.verdicts import Verdict
from relabel.review.events import SELECTION, Answer, Decision, Event, Header, Shown, Undo
from relabel.review.journal import Journal
from relabel.review.progress import Person, Progress
from relabel.review.queue import open_units, order_units, trim_unit
from relabel.review.table import proposals_of, to_verdicts
from relabel.review.units import Certain, Unit, list_units
from web.refused import Refused

LARGEST_SELECTION = 200
"""Images of the map that get a label at once; of more than a screenful nobody has looked at each."""
PRELOADED = 3
"""Questions after the next one whose images the page may fetch ahead."""


@dataclass(frozen=True)
class ReviewOptions:
    """What is reviewed, and how."""

    folder: Path
    """Proposal folder."""
    verdicts: Path
    """The journal."""
    overlap: int = 1
    """Answers wanted for each question, of as many annotators."""
    certain: Certain = "single"
    """Whether certain images are judged one by one or in grids of one class."""


class Submission(NamedTuple):
    """An answer as the page sends it."""

    id: str
    unit: str
    images: tuple[str, ...]
    """Those on the screen."""
    proposal: str
    """The class on the screen, or empty."""
    decision: Decision
    label: str
    excluded: tuple[str, ...]
    seconds: float


class State(NamedTuple):
    """Where an annotator stands."""

    unit: Unit | None
    """The question; None when there is none left."""
    left: int
    """Questions, this one included."""
    given: int
    """Answers that stand."""
    preload: tuple[str, ...]
    """Images that are likely to be asked about soon."""


def _now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """The one holder of a round's journal; its methods may be called from several threads."""

    def __init__(self, options: ReviewOptions, clock: Callable[[], datetime] = _now) -> None:
        """Reads proposals and journal; raises InputError when they cannot be used."""
        self.bundle: ProposalFolder = read_proposal_folder(options.folder)
        refuse_class_mixed(self.bundle.about.classes)
        self.proposals: dict[str, Proposal] = proposals_of(self.bundle)
        self.images = tuple(self.proposals)
        """Names; their places are how the page calls them, as a file's name may tell its class."""
        self.places = {image: place for place, image in enumerate(self.images)}
        about = self.bundle.about
        self._units = {unit.id: unit for unit in list_units(self.bundle, self.proposals, options.certain)}
        self._journal = Journal(options.verdicts, Header(about.model_version, about.round))
        self._progress = Progress(self._journal.events)
        self._orders: dict[str, list[Unit]] = {}
        self._overlap = options.overlap
        self._clock = clock
        self._lock = threading.Lock()

    def state(self, annotator: str) -> State:
        """The question on an annotator's screen, or a new one if that has been answered."""
        with self._lock:
            return self._state(annotator)

    def answer(self, annotator: str, sent: Submission) -> State:
        """Stores an answer, once however often it is sent; raises Refused when the question has changed meanwhile."""
        with self._lock:
            if (annotator, sent.id) not in self._progress.ids:
                unit = self._check_current(annotator, sent)
                self._store(annotator, sent, unit.images, (unit.proposal,) * len(unit.images), sent.excluded)
            return self._state(annotator)

    def select(self, annotator: str, sent: Submission, shown: bool) -> State:
        """Stores one label for images chosen on the map; `shown` says whether the map showed their proposals.

        Images that the annotator has judged before keep that answer. Raises Refused for images of the control arm.
        """
        with self._lock:
            if (annotator, sent.id) not in self._progress.ids:
                if any(self.proposals[image].arm == "control" for image in sent.images):
                    raise Refused(400, "control", "images of the control arm are judged one by one")
                judged = self._progress.person(annotator).judged
                images = tuple(image for image in sent.images if image not in judged)
                if len(images) > LARGEST_SELECTION:
                    raise Refused(400, "too_many", f"at most {LARGEST_SELECTION} images get a label at once")
                if not images:
                    raise Refused(409, "judged", "you have judged all of these images already")
                proposals = tuple(self.proposals[image].proposal if shown else "" for image in images)
                self._store(annotator, sent._replace(unit=SELECTION), images, proposals, ())
            return self._state(annotator)

    def undo(self, annotator: str, undo_id: str) -> tuple[State, Answer | None]:
        """Takes the last answer back and shows its question again; the answer is None when nothing was new."""
        with self._lock:
            if (annotator, undo_id) in self._progress.ids:
                return self._state(annotator), None
            person = self._progress.person(annotator)
            if not person.answers:
                raise Refused(409, "nothing", "there is no answer to take back")
            last = person.answers[-1]
            self._write(Undo(undo_id, annotator, last.id, self._clock().isoformat()))
            if last.unit != SELECTION:
                self._show(annotator, last.unit)
            return self._state(annotator), last

    def judged(self, annotator: str) -> frozenset[str]:
        """The images that an annotator is done with."""
        with self._lock:
            return frozenset(self._progress.person(annotator).judged)

    def verdicts(self, annotator: str | None) -> list[Verdict]:
        """The answers of one annotator, or of all, as rows of the verdict table."""
        with self._lock:
            answers = [a for a in self._progress.standing() if annotator in (None, a.annotator)]
            return to_verdicts(answers, self.proposals, self.bundle.about)

    def close(self) -> None:
        """Frees the journal."""
        self._journal.close()

    def _state(self, annotator: str) -> State:
        if annotator not in self._orders:
            units = list(self._units.values())
            self._orders[annotator] = order_units(units, self.bundle.about.seed, annotator)
        order, person, now = self._orders[annotator], self._progress.person(annotator), self._clock()
        units = open_units(order, self.proposals, self._progress, annotator, self._overlap, now)
        unit = self._current(person)
        others = [other for other in units if unit is None or other.id != unit.id]
        if unit is None:
            unit = others.pop(0) if others else None
            # an empty unit is written once: it starts the clock of what is chosen on the map
            if unit is not None or person.shown is None or person.shown.unit:
                self._show(annotator, unit.id if unit else "")
        preload = [image for other in others[:PRELOADED] for image in other.images]
        return State(unit, len(others) + (unit is not None), len(person.answers), tuple(preload))

    def _current(self, person: Person) -> Unit | None:
        """What is on the annotator's screen, as far as it is still to be answered."""
        shown = person.shown
        if shown is None or shown.unit in person.answered:
            return None
        prefix, _, image = shown.unit.partition(":")
        if prefix == "again" and image in person.returned:
            unit: Unit | None = Unit(shown.unit, (image,), "", False, "", 0.0)
        else:
            unit = self._units.get(shown.unit)
        if unit is None:
            return None
        unit = trim_unit(unit, person)
        return unit if unit.images else None

    def _check_current(self, annotator: str, sent: Submission) -> Unit:
        unit = self._current(self._progress.person(annotator))
        if unit is None or (sent.unit, sent.images, sent.proposal) != (unit.id, unit.images, unit.proposal):
            raise Refused(409, "changed", "this is not the question you are at now, perhaps it was answered elsewhere")
        if not unit.grid and (sent.excluded or sent.decision == "mixed"):
            raise Refused(400, "single", "a single image can be neither mixed nor excluded; skip it")
        return unit

    def _store(
        self,
        annotator: str,
        sent: Submission,
        images: tuple[str, ...],
        proposals: tuple[str, ...],
        excluded: tuple[str, ...],
    ) -> None:
        if sent.decision == "label" and sent.label not in self.bundle.about.classes:
            raise Refused(400, "no_such_class", f"the label must be one of the classes, it is {sent.label!r}")
        if (sent.decision == "label") != bool(sent.label):
            raise Refused(400, "label", "a label goes with the decision 'label', and with no other")
        if not (math.isfinite(sent.seconds) and sent.seconds >= 0):
            raise Refused(400, "seconds", f"seconds must be a number from 0 up, they are {sent.seconds}")
        if not set(excluded) <= set(images):
            raise Refused(400, "excluded", "only images of the question can be excluded")
        now = self._clock()
        seconds = min(sent.seconds, self._progress.person(annotator).allowance_s(now))
        self._write(
            Answer(
                id=sent.id,
                annotator=annotator,
                unit=sent.unit,
                images=images,
                proposals=proposals,
                decision=sent.decision,
                label=sent.label,
                excluded=excluded if sent.decision == "label" else (),
                seconds=round(seconds, 3),
                at=now.isoformat(),
            )
        )

    def _show(self, annotator: str, unit: str) -> None:
        # no answer depends on it, and a fsync would delay every question
        self._write(Shown(annotator, unit, self._clock().isoformat()), sync=False)

    def _write(self, event: Event, sync: bool = True) -> None:
        try:
            self._journal.append(event, sync)
        except OSError as error:
            raise Refused(503, "not_stored", f"NOT stored: the journal cannot be written ({error.strerror})") from error
        self._progress.apply(event)
