"""Who has answered what: the journal's events, added up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from relabel.review.events import SELECTION, Answer, Event, Shown, Undo


@dataclass
class Person:
    """One annotator's part."""

    answers: list[Answer] = field(default_factory=list)
    """Those that stand, in their order."""
    answered: set[str] = field(default_factory=set)
    """Units."""
    judged: set[str] = field(default_factory=set)
    """Images that are done with."""
    returned: dict[str, int] = field(default_factory=dict)
    """Images that fell out of a grid and are asked one by one, with the number of answers when they did."""
    shown: Shown | None = None
    """The last question handed out."""
    claimed_s: float = 0.0
    """Seconds that answers have claimed since then; below zero after an answer was taken back, whose time goes on."""
    taken: Answer | None = None
    """The answer that was taken back last, until its question is shown again."""

    def apply(self, answer: Answer) -> None:
        """Adds an answer."""
        self.answers.append(answer)
        self.answered |= _units_of(answer)
        back = returned_images(answer)
        self.judged |= set(answer.images).difference(back)
        self.returned |= dict.fromkeys(back, len(self.answers))
        self.claimed_s += answer.seconds

    def take_back(self) -> Answer:
        """Removes the last answer, as if it had never been given."""
        answer = self.taken = self.answers.pop()
        self.answered -= _units_of(answer)
        self.judged -= set(answer.images)
        for image in returned_images(answer):
            self.returned.pop(image, None)
        return answer

    def waiting(self) -> list[str]:
        """Images to be asked one by one, oldest first."""
        return [image for image in self.returned if image not in self.judged]

    def allowance_s(self, now: datetime) -> float:
        """The seconds that an answer may claim at most: what has passed since the question, less what was claimed."""
        if self.shown is None:
            return 0.0
        return max(0.0, (now - datetime.fromisoformat(self.shown.at)).total_seconds() - self.claimed_s)


class Progress:
    """All annotators' parts."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.people: dict[str, Person] = {}
        self.ids: set[tuple[str, str]] = set()
        """Annotator and id of every answer and undo that is stored."""
        self.counts: dict[str, int] = {}
        """Annotators who answered a unit, those who were unsure left out."""
        for event in events:
            self.apply(event)

    def person(self, annotator: str) -> Person:
        """An annotator's part, empty at first."""
        return self.people.setdefault(annotator, Person())

    def apply(self, event: Event) -> None:
        """Adds an event."""
        if isinstance(event, Shown):
            person = self.person(event.annotator)
            again = person.taken is not None and person.taken.unit == event.unit
            person.claimed_s = -person.taken.seconds if person.taken and again else 0.0
            person.shown, person.taken = event, None
        elif isinstance(event, Answer):
            self.ids.add((event.annotator, event.id))
            self.person(event.annotator).apply(event)
            self._count(event, 1)
        elif isinstance(event, Undo):
            self.ids.add((event.annotator, event.id))
            self._count(self.person(event.annotator).take_back(), -1)

    def standing(self) -> list[Answer]:
        """All answers that were not taken back, in the order of their time."""
        answers = [answer for person in self.people.values() for answer in person.answers]
        return sorted(answers, key=lambda answer: answer.at)

    def _count(self, answer: Answer, step: int) -> None:
        if answer.decision != "skip":
            for unit in _units_of(answer):
                self.counts[unit] = self.counts.get(unit, 0) + step


def returned_images(answer: Answer) -> list[str]:
    """The images that an answer leaves to be asked one by one, in their order."""
    return [image for image in answer.images if answer.decision == "mixed" or image in answer.excluded]


def _units_of(answer: Answer) -> set[str]:
    """The units that an answer answers: images chosen on the map need not be asked singly any more."""
    return {f"image:{image}" for image in answer.images} if answer.unit == SELECTION else {answer.unit}
