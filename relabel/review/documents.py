"""What travels between page and desk, as JSON. Images are called by their places."""

from collections.abc import Mapping
from typing import cast, get_args

from relabel.review.desk import LARGEST_SELECTION, Desk, State, Submission
from relabel.review.events import SELECTION, Answer, Decision
from web.refused import Refused

LONGEST_ID = 64
MOST_SECONDS = 1e9
Document = dict[str, object]


def describe_session(desk: Desk, annotator: str) -> Document:
    """What the page needs once."""
    about = desk.bundle.about
    return {
        "annotator": annotator,
        "classes": about.classes,
        "round": about.round,
        "largest": LARGEST_SELECTION,
        "quality": about.quality,
    }


def describe_state(desk: Desk, state: State, taken: Answer | None = None) -> Document:
    """Where an annotator stands; `taken` is the answer that he just took back, to go on from."""
    places = desk.places
    document: Document = {
        "left": state.left,
        "given": state.given,
        "preload": [places[image] for image in state.preload],
        "unit": None,
        "taken": None,
    }
    if state.unit is not None:
        unit = state.unit
        document["unit"] = {
            "id": mask_id(desk, unit.id),
            "grid": unit.grid,
            "caption": unit.caption,
            "proposal": unit.proposal,
            "images": [places[image] for image in unit.images],
            "suspects": [places[image] for image in unit.images if unit.grid and desk.proposals[image].suspect],
        }
    if taken is not None:
        document["taken"] = {
            "images": [places[image] for image in taken.images],
            "excluded": [places[image] for image in taken.excluded],
            "selection": taken.unit == SELECTION,
            "label": taken.label,
            "seconds": taken.seconds,
        }
    return document


def describe_map(desk: Desk, annotator: str) -> Document:
    """All images in columns; those of the control arm have only a place, or the arm would know the proposals."""
    rows = [desk.proposals[image] for image in desk.images]
    judged = desk.judged(annotator)
    number = {name: place for place, name in enumerate(desk.bundle.about.classes)}
    told = [row.arm != "control" for row in rows]
    return {
        "x": [round(float(row.x), 5) for row in rows],
        "y": [round(float(row.y), 5) for row in rows],
        "control": [not tell for tell in told],
        "class": [number.get(row.proposal, -1) if tell else -1 for row, tell in zip(rows, told, strict=True)],
        "ambiguous": [tell and row.decision == "cluster" for row, tell in zip(rows, told, strict=True)],
        "cluster": [row.cluster if tell else "" for row, tell in zip(rows, told, strict=True)],
        "judged": [image in judged for image in desk.images],
    }


def read_submission(desk: Desk, values: Mapping[str, object]) -> Submission:
    """An answer out of a request's JSON; raises Refused naming the first field that is none."""
    decision, label, proposal = (_text(values, name) for name in ("decision", "label", "proposal"))
    if decision not in get_args(Decision):
        raise Refused(400, "decision", f"decision must be one of {', '.join(get_args(Decision))}, it is {decision!r}")
    seconds = values.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not abs(seconds) < MOST_SECONDS:
        raise Refused(400, "seconds", f"seconds must be a number below {MOST_SECONDS:g}, they are {seconds!r}")
    return Submission(
        id=read_id(values),
        unit=_unmask_id(desk, _text(values, "unit")),
        images=_images(desk, values, "images"),
        proposal=proposal,
        decision=cast(Decision, decision),
        label=label,
        excluded=_images(desk, values, "excluded"),
        seconds=float(seconds),
    )


def read_id(values: Mapping[str, object]) -> str:
    """The id that the page drew for what it sends."""
    text = _text(values, "id")
    if not 8 <= len(text) <= LONGEST_ID:
        raise Refused(400, "id", f"id must have 8 to {LONGEST_ID} characters, it has {len(text)}")
    return text


def mask_id(desk: Desk, unit: str) -> str:
    """A unit's id with the image's place in place of its name, which may tell the class."""
    prefix, _, name = unit.partition(":")
    return f"{prefix}:{desk.places[name]}" if prefix in ("image", "again") else unit


def _unmask_id(desk: Desk, text: str) -> str:
    prefix, _, place = text.partition(":")
    if prefix not in ("image", "again"):
        return text
    known = place.isdecimal() and len(place) <= len(str(len(desk.images))) and int(place) < len(desk.images)
    return f"{prefix}:{desk.images[int(place)]}" if known else text


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise Refused(400, name, f"{name} must be a text, it is {value!r}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(400, name, f"{name} must be a text that UTF-8 can write, it is {value!r}")
    return value


def _images(desk: Desk, values: Mapping[str, object], name: str) -> tuple[str, ...]:
    places = values.get(name)
    good = isinstance(places, list) and all(type(place) is int and 0 <= place < len(desk.images) for place in places)
    if not good or len(set(cast(list[int], places))) < len(cast(list[int], places)):
        raise Refused(400, name, f"{name} must be a list of different places below {len(desk.images)}")
    return tuple(desk.images[place] for place in cast(list[int], places))
